/** Values of several streams in the order in which they come. Reads each stream no further ahead than one value. */
export async function* mergeStreams<T>(streams: readonly AsyncIterable<T>[]): AsyncGenerator<T, void, undefined> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const next = (at: number) => iterators[at]?.next().then((result) => ({ at, result }));
  const waiting = new Map(iterators.map((_, at) => [at, next(at)]));
  try {
    while (waiting.size > 0) {
      const first = await Promise.race(waiting.values());
      if (first === undefined) return;
      if (first.result.done) {
        waiting.delete(first.at);
        continue;
      }
      // Moved to the end, so that one talkative stream does not starve the others.
      waiting.delete(first.at);
      waiting.set(first.at, next(first.at));
      yield first.result.value;
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}
