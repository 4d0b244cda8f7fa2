import { readFile } from "node:fs/promises";
import type { WayInPlaces } from "./render.ts";

export interface ChosenPortsOptions {
  readonly folder: string;
  readonly address?: string;
  readonly httpPort?: number;
  readonly httpsPort?: number;
  readonly connections?: number;
}

/** Where HAProxy listens, and as whom: Debian's package makes a user of its own for it. */
export class ChosenPorts {
  readonly #options: ChosenPortsOptions;
  #user: string | undefined;

  constructor(options: ChosenPortsOptions) {
    this.#options = options;
  }

  async choose(): Promise<WayInPlaces> {
    const users = process.getuid?.() === 0 ? await readFile("/etc/passwd", "utf8").catch(() => "") : "";
    this.#user = /^haproxy:/m.test(users) ? "haproxy" : undefined;
    return this.places;
  }

  get places(): WayInPlaces {
    const { folder, address = "0.0.0.0", httpPort = 80, httpsPort = 443, connections } = this.#options;
    return {
      ...{ folder, address, httpPort, httpsPort },
      ...(connections === undefined ? {} : { connections }),
      ...(this.#user === undefined ? {} : { user: this.#user }),
    };
  }
}
