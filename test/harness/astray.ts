/** Errors that nobody has caught from now on, as text: in a server they would be its end. */
export function whatWentAstray(): { readonly said: readonly string[]; stop(): void } {
  const said: string[] = [];
  const note = (error: unknown) => said.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on("uncaughtException", note);
  process.on("unhandledRejection", note);
  return {
    said,
    stop() {
      process.off("uncaughtException", note);
      process.off("unhandledRejection", note);
    },
  };
}
