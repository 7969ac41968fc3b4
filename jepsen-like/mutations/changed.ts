/** The same object, but for what it does differently. */
export function changed<T extends object>(whole: T, change: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => {
      const other = change[name as keyof T];
      if (other !== undefined) return other;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
