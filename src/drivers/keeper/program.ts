import { type FreestandingProgram, writeFreestanding } from "../../lib/freestanding-program.ts";

/** Writes the keeper and what it imports, ready to run, below `directory`. */
export function writeProgram(directory: string): FreestandingProgram {
  return writeFreestanding(directory, {
    name: "keeper",
    main: new URL("./main.ts", import.meta.url),
    executables: [new URL("./exec-as.ts", import.meta.url)],
  });
}
