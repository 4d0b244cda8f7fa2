/**
 * `target` with some of its members in place of its own; the others act on it as before, its private ones too. For wrappers of
 * interfaces with optional members: what `target` has not, the result has not.
 */
export function withMembers<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(own, name) {
      const value: unknown = Object.hasOwn(members, name) ? members[name as keyof T] : Reflect.get(own, name, own);
      return typeof value === "function" ? value.bind(own) : value;
    },
  });
}
