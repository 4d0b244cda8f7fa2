/** The figures of a run, printed as one table at its end. */
import { cpus, totalmem } from "node:os";

export class Measured {
  readonly #rows: (readonly [string, string])[] = [];

  note(what: string, value: string): void {
    this.#rows.push([what, value]);
    console.log(`  ${what}: ${value}`);
  }

  seconds(what: string, ms: number): void {
    this.note(what, `${(ms / 1000).toFixed(1)} s`);
  }

  table(): string {
    const width = Math.max(...this.#rows.map(([what]) => what.length));
    const machine = `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${new Date().toISOString().slice(0, 10)}`;
    return [
      `lab, measured on ${machine}`,
      ...this.#rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`),
    ].join("\n");
  }
}
