/** Waits for a condition, and says which one when it never comes true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 25_000,
  everyMs = 20,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** The first value of an event that passes. */
export function once<T>(
  subscribe: (callback: (value: T) => void) => () => void,
  wanted: (value: T) => boolean,
  what: string,
  timeoutMs = 25_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`));
    }, timeoutMs);
    const unsubscribe = subscribe((value) => {
      if (!wanted(value)) return;
      clearTimeout(timer);
      unsubscribe();
      resolve(value);
    });
  });
}
