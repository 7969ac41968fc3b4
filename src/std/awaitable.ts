/** What may be at hand or on its way: for answers that are mostly at hand, and asked for often. `await` takes both. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value: at once if it is at hand, and then throws what `next` throws. */
export function andThen<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs `work`; what it throws at once rejects as well. An `async` function does the same, and costs three turns of the microtask queue more. */
export function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}
