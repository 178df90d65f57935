/** One interface a plugin imports, as jco wants it: functions and resource classes by name. */
export type Interface = Record<string, unknown>;

/** A resource class whose listed methods all refuse: no handle of it ever comes into being. */
export function unreachable(name: string, methods: string): new () => object {
  const made = { [name]: class {} }[name] ?? class {};
  for (const method of methods.split(' '))
    Object.defineProperty(made.prototype, method, {
      value: () => {
        throw new Error(`${name}.${method} is not available to a plugin`);
      },
    });
  return made;
}
