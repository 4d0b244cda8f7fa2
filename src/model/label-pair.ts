/** How indexes spell a label of a namespace's objects: no name of a namespace has a slash, no key of a label an equals sign. */
export function labelPair(namespace: string | undefined, key: string, value: string): string {
  return `${namespace ?? ""}/${key}=${value}`;
}
