/** Why an authority that gave no answer is not reached, in words: its directory is asked for once more. */
export async function unreachedWords(directory: string, before: Error, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(directory, { signal });
    await response.body?.cancel();
    return `the authority at ${directory} broke off without an answer (${before.message})`;
  } catch (error) {
    return `the authority at ${directory} is not reached: ${causeOf(error as Error)}`;
  }
}

/** The innermost that says something: `connect ECONNREFUSED 192.0.2.1:443`, `self-signed certificate`. */
function causeOf(error: Error): string {
  const { cause } = error as { cause?: Error & { code?: string } };
  if (!(cause instanceof Error)) return error.message;
  const inner = causeOf(cause);
  const code = cause.code === undefined || inner.includes(cause.code) ? "" : ` (${cause.code})`;
  return inner === "" ? (cause.code ?? error.message) : `${inner}${code}`;
}
