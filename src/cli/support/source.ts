import type { TarFile } from "../../lib/tar.ts";

/** Something that goes into the bundle. One that fails is left out, and the bundle says why. */
export interface Source {
  /** In words, for the bundle's own README. */
  readonly about: string;
  /** Paths inside the bundle. Secrets by form are taken out behind it; what only it can know, it takes out itself. */
  read(): Promise<readonly TarFile[]>;
}

export function json(path: string, value: unknown): TarFile {
  return { path, text: `${JSON.stringify(value, null, 2)}\n` };
}
