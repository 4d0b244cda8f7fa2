/** More than so many are no policy's fault. */
const MOST_REFUSED = 50;

/**
 * Which of `names` nft does not take, and its words: half by half. `why` tries all of them closed but for those that are open; none of
 * them is to blame when it does not take that either.
 */
export async function refusedAmong(
  names: readonly string[],
  why: (open: ReadonlySet<string>) => Promise<string | undefined>,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  if (names.length === 0 || (await why(new Set())) !== undefined) return refused;
  const halves: (readonly string[])[] = [names];
  for (let half = halves.pop(); half !== undefined; half = halves.pop()) {
    const words = await why(new Set(half));
    if (words === undefined) continue;
    const [name = ""] = half;
    if (half.length === 1) refused.set(name, words);
    else halves.push(half.slice(Math.ceil(half.length / 2)), half.slice(0, Math.ceil(half.length / 2)));
    if (refused.size > MOST_REFUSED) return new Map();
  }
  return refused;
}
