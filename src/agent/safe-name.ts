/** Whether a name from outside may become one component of a path: it names a file, and no other directory. */
export function isSafeName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,253}$/.test(name) && name !== "." && name !== "..";
}
