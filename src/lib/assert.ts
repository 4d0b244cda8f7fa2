/** A bug, not a refusal and not an operating failure: the process stops on it (docs/glossary.md, "three kinds of failure"). */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

/** Stays on in production: a wrong assumption must stop the program before it is written down or acted on. */
export function assert(claim: unknown, what: string): asserts claim {
  if (!claim) throw new AssertionFailure(what);
}

/** Makes a `switch` over a closed union complete: adding a member is a type error here. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`a value outside its union: ${JSON.stringify(value)}`);
}
