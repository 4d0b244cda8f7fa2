/** So often it is looked into which half it is: each look is a run of nft over all that is wanted, and changes wait meanwhile. */
const MOST_SPLITS = 250;

/**
 * Which of `names` nft does not take, and its words: half by half, all halves of one size before the smaller ones. Of so many refused that
 * this takes too long, the parts that are still whole are refused as they are: closed is what they can be, and nothing else is held up. `why`
 * tries all of them closed but for those that are open; none of them is to blame when it does not take that either.
 */
export async function refusedAmong(
  names: readonly string[],
  why: (open: ReadonlySet<string>) => Promise<string | undefined>,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  if (names.length === 0 || (await why(new Set())) !== undefined) return refused;
  let splits = 0;
  for (let parts: (readonly string[])[] = [names]; parts.length > 0; ) {
    const smaller: (readonly string[])[] = [];
    for (const part of parts) {
      const words = await why(new Set(part));
      if (words === undefined) continue;
      const middle = Math.ceil(part.length / 2);
      if (part.length === 1 || splits++ >= MOST_SPLITS) for (const name of part) refused.set(name, words);
      else smaller.push(part.slice(0, middle), part.slice(middle));
    }
    parts = smaller;
  }
  return refused;
}
