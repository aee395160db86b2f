/** A value that is there already, as a rule. A promise only where somebody has to be asked: waiting for nothing costs a turn too. */
export type Soon<T> = T | Promise<T>;

/** Goes on with the value: at once where it is there. */
export const soon = <T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> =>
  value instanceof Promise ? value.then(next) : next(value);
