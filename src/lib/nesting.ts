/** How deep a value nests: 0 for a scalar. Infinity for one that contains itself, as YAML's aliases can make it. */
export function depthOf(value: unknown): number {
  const depths = new Map<object, number>();
  const within = new Set<object>();
  const open: unknown[] = [value];
  for (let node = open.at(-1); open.length > 0; node = open.at(-1)) {
    if (!isContainer(node) || depths.has(node)) {
      open.pop();
      continue;
    }
    const children = Object.values(node).filter(isContainer);
    const unknown = children.filter((child) => !depths.has(child));
    if (unknown.length === 0) {
      depths.set(node, 1 + children.reduce((most, child) => Math.max(most, depths.get(child) ?? 0), 0));
      within.delete(node);
    } else if (unknown.some((child) => within.has(child) || child === node)) return Number.POSITIVE_INFINITY;
    else {
      within.add(node);
      for (const child of unknown) open.push(child);
    }
  }
  return isContainer(value) ? (depths.get(value) ?? 0) : 0;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Of a value that cannot contain itself. Looks no deeper than it has to. */
export function isDeeperThan(value: unknown, most: number): boolean {
  if (!isContainer(value)) return false;
  if (most <= 0) return true;
  if (Array.isArray(value)) return value.some((child) => isDeeperThan(child, most - 1));
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], most - 1)) return true;
  return false;
}
