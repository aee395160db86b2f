/** Time as a value that tests can move. */
export type Clock = { readonly now: () => number };

/**
 * Runs evenly whatever is done to the time of day, which an operator or NTP may set back: for ages and waits within one
 * process. Its zero means nothing; what is shown or stored is a `Date`.
 */
export const steadyClock: Clock = { now: () => performance.now() };
