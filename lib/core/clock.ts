/** Time as a value that tests can move. */
export type Clock = { readonly now: () => number };

export const systemClock: Clock = { now: () => Date.now() };
