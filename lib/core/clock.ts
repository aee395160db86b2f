/** Time as a value that tests can move. */
export type Clock = { readonly now: () => number };

/** The time of day: for what is shown, stored, or shared between processes. An operator or NTP may set it back. */
export const systemClock: Clock = { now: () => Date.now() };

/** Runs evenly whatever is done to the time of day: for ages and waits within one process. Its zero means nothing. */
export const steadyClock: Clock = { now: () => performance.now() };
