import type { Control } from "../agent/control.ts";
import { LinkError } from "../seams/link.ts";

const NOT_YET = "the store cannot be opened, so there is no control plane yet";

/** A control plane that may come later: until then the agent goes by its own record and is told nothing. */
export class LateControl implements Control {
  readonly #arrived = Promise.withResolvers<Control>();
  #control: Control | undefined;

  set(control: Control): void {
    this.#control = control;
    this.#arrived.resolve(control);
  }

  async registerNode(...args: Parameters<Control["registerNode"]>): Promise<void> {
    await this.#present.registerNode(...args);
  }

  // A listener never hears before the caller is done, so it makes no difference whether the control plane is there already.
  watchPods(...[nodeName, listener, signal]: Parameters<Control["watchPods"]>): void {
    void this.#arrived.promise.then((control) => {
      if (!signal.aborted) control.watchPods(nodeName, listener, signal);
    });
  }

  watchNetwork(...[listener, signal, has]: Parameters<NonNullable<Control["watchNetwork"]>>): void {
    void this.#arrived.promise.then((control) => {
      if (!signal.aborted) control.watchNetwork?.(listener, signal, has);
    });
  }

  networkApplied(revision: number): void {
    this.#control?.networkApplied?.(revision);
  }

  async report(...args: Parameters<Control["report"]>): Promise<void> {
    await this.#present.report(...args);
  }

  async keyValues(...args: Parameters<Control["keyValues"]>): ReturnType<Control["keyValues"]> {
    return this.#present.keyValues(...args);
  }

  /** Until it is there no control plane runs, which is what a refused heartbeat says. */
  async heartbeat(...args: Parameters<Control["heartbeat"]>): ReturnType<Control["heartbeat"]> {
    if (!this.#control) throw new LinkError(NOT_YET, true);
    return this.#control.heartbeat(...args);
  }

  async goodbye(...args: Parameters<Control["goodbye"]>): Promise<void> {
    await this.#present.goodbye(...args);
  }

  get #present(): Control {
    if (!this.#control) throw new Error(NOT_YET);
    return this.#control;
  }
}
