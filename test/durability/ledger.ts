/** What the process said before it was killed: which writes were acknowledged, and which were under way. */

export type Line =
  | { readonly type: "try"; readonly key: string /** null: deleted. */; readonly value: string | null }
  | { readonly type: "done"; readonly key: string }
  | { readonly type: "refused"; readonly key: string; readonly status: number }
  | { readonly type: "settled" }
  | { readonly type: "stuck"; readonly words: string };

interface Account {
  /** The last acknowledged value. */
  known: string | null;
  /** Asked for and not answered: it may be on disk or not. */
  open: string | null | undefined;
  /** Every value that was there or asked for since everybody last had what was wanted. */
  readonly asked: Set<string | null>;
}

export class Ledger {
  readonly #accounts = new Map<string, Account>();
  readonly problems: string[] = [];
  acknowledged = 0;
  refused = 0;
  settled = 0;

  note(line: Line): void {
    if (line.type === "settled") this.#settle();
    else if (line.type === "stuck") this.problems.push(`not settled after a restart: ${line.words}`);
    else this.#write(line);
  }

  /** Compares with what is on disk after a kill, and goes on from there. */
  compare(onDisk: ReadonlyMap<string, string>): void {
    for (const [key, account] of this.#accounts) {
      const found = onDisk.get(key) ?? null;
      if (found !== account.known && (account.open === undefined || found !== account.open)) {
        const open = account.open === undefined ? "" : ` (under way: ${words(account.open)})`;
        this.problems.push(`${key}: acknowledged ${words(account.known)}, on disk ${words(found)}${open}`);
      }
      account.known = found;
      account.open = undefined;
    }
    for (const key of onDisk.keys())
      if (!this.#accounts.has(key)) this.problems.push(`${key}: on disk, and nobody asked for it`);
  }

  /** Every value that was there or asked for since everybody last had what was wanted. */
  asked(key: string): Iterable<string | null> {
    return this.#account(key).asked;
  }

  #settle(): void {
    this.settled++;
    for (const { asked, known } of this.#accounts.values()) {
      asked.clear();
      asked.add(known);
    }
  }

  #write(line: Extract<Line, { readonly key: string }>): void {
    const account = this.#account(line.key);
    if (line.type === "try") {
      account.open = line.value;
      account.asked.add(line.value);
      return;
    }
    if (line.type === "done" && account.open !== undefined) {
      account.known = account.open;
      this.acknowledged++;
    }
    if (line.type === "refused") this.refused++;
    account.open = undefined;
  }

  #account(key: string): Account {
    const known = this.#accounts.get(key);
    if (known) return known;
    const account: Account = { known: null, open: undefined, asked: new Set([null]) };
    this.#accounts.set(key, account);
    return account;
  }
}

function words(value: string | null): string {
  return value === null ? "nothing" : JSON.stringify(value);
}
