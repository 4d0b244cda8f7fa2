import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure, type SimRequest, type SimResponse } from "../contract.ts";

/** Whatever anybody was shown has to be there after a crash: an answer, a watch and a read all come from what is committed. */
export class AcknowledgedWrites implements Checker {
  readonly rule = "acknowledged-writes";
  readonly words =
    "An acknowledged write is never lost: what was answered or shown is there after every crash, and answers come after the disk.";
  judgements = 0;
  /** `Kind key` → revision of its last version. */
  readonly #shown = new Map<string, number>();
  #revision = 0;

  committed(changes: readonly Change[]): void {
    for (const { kind, key, type, revision } of changes) {
      if (type === "removed") this.#shown.delete(`${kind.name} ${key}`);
      else this.#shown.set(`${kind.name} ${key}`, revision);
      this.#revision = Math.max(this.#revision, revision);
    }
  }

  answered({ method, path, as }: SimRequest, { status, text }: SimResponse): void {
    if (status < 200 || status > 299 || method === "GET") return;
    const revision = revisionIn(text);
    if (revision === undefined) return;
    this.judgements++;
    if (revision > this.#revision) {
      const who = as ?? "admin";
      const what = `${method} ${path} by ${who} was answered ${status} with revision ${revision}`;
      throw new SimFailure(this.rule, `${what}, and only ${this.#revision} is on disk`);
    }
  }

  started(store: Store): void {
    if (this.#revision > 0) this.#compare(store);
    this.#shown.clear();
    this.#revision = store.revision;
  }

  #compare(store: Store): void {
    this.judgements++;
    if (store.revision < this.#revision)
      throw new SimFailure(this.rule, `revision ${this.#revision} was shown; after the crash it is ${store.revision}`);
    // A batch that was under way may be on disk as well: then what it changed is newer, or gone.
    if (store.revision > this.#revision) return;
    for (const [name, revision] of this.#shown) {
      const [kind = "", key = ""] = name.split(" ");
      const there = store.get({ name: kind } as never, key);
      const now = (there as { metadata?: { resourceVersion?: string } } | undefined)?.metadata?.resourceVersion;
      if (now !== String(revision))
        throw new SimFailure(this.rule, `${name} had revision ${revision} before the crash and has ${now ?? "gone"}`);
    }
  }
}

/** Kubernetes' answers say the revision of what was written. */
function revisionIn(text: string): number | undefined {
  if (!text.startsWith("{")) return undefined;
  const found = /"resourceVersion":"(\d+)"/.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
