import { pods } from "../../model/pod.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure, type World } from "../contract.ts";

/** One watch of the store and one of Kubernetes' API, from the start of each control plane to its end. */
export class WatchersSeeAll implements Checker {
  readonly rule = "watchers-see-all";
  readonly words = "Watchers see every change once and in order, in the process and over HTTP.";
  judgements = 0;
  #broken: SimFailure | undefined;
  #stop = new AbortController();
  #store: Store | undefined;
  #server: World["server"] | undefined;
  /** Versions of pods that were committed and that the HTTP watch has not shown yet. */
  #owed: string[] = [];
  #owes = false;
  /** The last revision that the HTTP watch has shown. */
  #shown = "0";
  #seen = 0;

  begin({ server }: Pick<World, "server">): void {
    this.#server = server;
  }

  started(store: Store): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#store = store;
    this.#owed = [];
    this.#owes = false;
    this.#seen = store.revision;
    void this.#follow(store, this.#stop.signal);
    if (this.#server?.handle) void this.#followHttp(this.#server.handle.bind(this.#server), this.#stop.signal);
  }

  committed(changes: readonly Change[]): void {
    if (this.#owes)
      for (const { kind, revision } of changes) if (kind.name === pods.name) this.#owed.push(String(revision));
    this.#complain();
  }

  driver(): void {
    this.#complain();
  }

  settled(): void {
    this.#complain();
    this.judgements++;
    if (this.#store && this.#seen !== this.#store.revision)
      this.#fail(`a watcher has seen revision ${this.#seen}, and ${this.#store.revision} is committed`);
    if (this.#owed.length > 0)
      this.#fail(`the HTTP watch has not shown revisions ${this.#owed.slice(0, 5).join(", ")}`);
    this.#complain();
  }

  end(): void {
    this.#stop.abort();
  }

  #complain(): void {
    if (this.#broken) throw this.#broken;
  }

  #fail(message: string): void {
    this.#broken ??= new SimFailure(this.rule, message);
  }

  async #follow(store: Store, signal: AbortSignal): Promise<void> {
    try {
      for await (const changes of store.watch({ since: this.#seen, signal }))
        for (const { revision, kind, key } of changes) {
          this.judgements++;
          // Revisions are given one by one, and every one of them to one change.
          if (revision !== this.#seen + 1)
            this.#fail(`after revision ${this.#seen} a watcher saw ${revision} (${kind.name} ${key})`);
          this.#seen = revision;
        }
    } catch (error) {
      // A control plane that was killed ends its watches; one that runs has to explain itself.
      if (!signal.aborted && this.#server?.isUp) this.#fail(`a watch ended: ${String(error)}`);
    }
  }

  async #followHttp(handle: (request: Request) => Promise<Response>, signal: AbortSignal): Promise<void> {
    const url = "http://styr.test/api/v1/pods";
    const list = (await (await handle(new Request(url))).json()) as { metadata: { resourceVersion: string } };
    if (signal.aborted) return;
    this.#shown = list.metadata.resourceVersion;
    this.#owes = true;
    try {
      // A watch ends in peace after a while (timeoutSeconds); as its clients do, it is begun again after what it showed last.
      while (!signal.aborted) {
        const watch = `${url}?watch=true&resourceVersion=${this.#shown}`;
        await this.#readAll(await handle(new Request(watch, { signal })));
      }
    } catch (error) {
      if (!signal.aborted && this.#server?.isUp) this.#fail(`the HTTP watch ended: ${String(error)}`);
    }
  }

  async #readAll({ body }: Response): Promise<void> {
    let rest = "";
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") this.#take(line);
    }
  }

  #take(line: string): void {
    // Reading all of it costs as much as everything else that is checked; inside texts the quotes are escaped.
    const type = /^\{"type":"(\w+)"/.exec(line)?.[1];
    if (type === "BOOKMARK") return;
    this.judgements++;
    const expected = this.#owed.shift();
    const seen = /"resourceVersion":"(\d+)"/.exec(line)?.[1];
    this.#shown = seen ?? this.#shown;
    if (type === "ERROR" || seen !== expected)
      this.#fail(`the HTTP watch showed ${type} at revision ${seen}, and ${expected ?? "nothing"} was next`);
  }
}
