import type { ContainerRun } from "../drivers/driver.ts";
import { type Container, driverOf, type Pod } from "../model/pod.ts";
import { isOnHostNetwork } from "../model/pod-network-need.ts";
import { inTime } from "../seams/in-time.ts";
import type { Addresses } from "./addresses.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { containerRun, needsAddress, type RunContext } from "./container-run.ts";
import { fetchValues, lacksValues, type Values, valueSourcesOf } from "./values.ts";
import type { WorkerHost } from "./worker-host.ts";

/** So long a pod waits for an address before it says why it has none, and a unit for the network that its containers may name. */
const ADDRESSES_MS = 3_000;

/** A pod's address, volumes and values on this node: what its containers need before they can start. */
export class PodEquipment {
  readonly #host: WorkerHost;
  #address: string | undefined;
  #values: Values | undefined;
  #volumes: ReadonlyMap<string, string> | undefined;

  constructor(host: WorkerHost, known: { readonly address?: string; readonly values?: Values } = {}) {
    this.#host = host;
    this.#address = known.address;
    this.#values = known.values;
  }

  get address(): string | undefined {
    return this.#address;
  }

  get values(): Values | undefined {
    return this.#values;
  }

  /** Takes the address that the pod had, before anybody else is given it. */
  claim(pod: Pod, wanted: string | undefined): void {
    if (!this.#host.addresses || !needsAddress(pod, this.#host.podNetwork) || wanted === undefined) return;
    this.#address = this.#host.addresses.assign(pod.metadata.uid, wanted);
  }

  /** Makes sure that everything is there. `fresh`: look whether values have changed; if nobody answers, those of last time do. */
  async make(pod: Pod, fresh: boolean): Promise<void> {
    await this.#fetch(pod, fresh);
    this.#volumes = await this.#host.volumes.make(pod, this.#values ?? {});
    if (this.#host.addresses && needsAddress(pod, this.#host.podNetwork)) {
      if (this.#address === undefined) await this.#addressesReady(this.#host.addresses);
      this.#address = this.#host.addresses.assign(pod.metadata.uid, this.#address);
    } else if (this.#host.addresses && pod.spec.containers.some((each) => driverOf(each) === "unit"))
      await this.#networkReady(this.#host.addresses);
  }

  /** What is over within seconds is no trouble of the pod's. */
  async #addressesReady(addresses: Addresses): Promise<void> {
    const ready = Promise.withResolvers<void>();
    if (!addresses.whenReady) return;
    const forget = addresses.whenReady(ready.resolve);
    await inTime(this.#host.clock, ADDRESSES_MS, ready.promise, () => undefined);
    forget();
  }

  /** A unit's own `docker run --network` fails for good where the host has just begun and the network is not there yet. */
  async #networkReady(addresses: Addresses): Promise<void> {
    await this.#addressesReady(addresses);
    const { drivers, log, clock } = this.#host;
    const failed = (error: Error) => log.warn("the pods' network could not be made sure of", { why: error.message });
    const brought = (drivers.get("docker")?.bringNetwork?.() ?? Promise.resolve()).catch(failed);
    await inTime(clock, ADDRESSES_MS, brought, () => undefined);
  }

  async runOf(pod: Pod, container: Container, attempt: number): Promise<ContainerRun> {
    const isMissing = this.#values !== undefined && lacksValues(pod, this.#values);
    const again = isMissing || (attempt > 0 && valueSourcesOf(pod).length > 0);
    if (this.#volumes === undefined || again) await this.make(pod, again);
    const volumes = this.#volumes ?? new Map<string, string>();
    const { hostAddress, nodeName } = this.#host;
    const podIP = this.podIP(pod) ?? "";
    return containerRun(pod, container, attempt, {
      hostIP: hostAddress,
      podIP,
      nodeName,
      values: this.#values ?? {},
      volumes,
      subPaths: await this.#host.volumes.subPaths(pod, container, volumes),
      ...(await this.#terminationFile(pod, container, attempt)),
      ...this.#ofNetwork(pod),
      ...this.#host.room(),
      ...(this.#address === undefined ? {} : { address: this.#address }),
    });
  }

  #ofNetwork(pod: Pod): Pick<RunContext, "serviceVariables" | "dns"> {
    const { gate } = this.#host;
    const dns = gate?.dns(pod);
    return gate === undefined ? {} : { serviceVariables: gate.variables(pod), ...(dns === undefined ? {} : { dns }) };
  }

  /** Without it a container runs all the same, and its last words are lost. */
  async #terminationFile(pod: Pod, container: Container, attempt: number) {
    const { volumes, log } = this.#host;
    if (!container.terminationMessagePath || !["docker", "fake"].includes(driverOf(container))) return {};
    try {
      const path = await volumes.terminationFile?.(pod, container.name, attempt);
      return path === undefined ? {} : { terminationFile: path };
    } catch (error) {
      log.warn("no file for the last words of a container", { pod: pod.metadata.name, why: String(error) });
      return {};
    }
  }

  podIP(pod: Pod): string | undefined {
    return isOnHostNetwork(pod) ? this.#host.hostAddress : this.#address;
  }

  async release(podUid: string): Promise<void> {
    await this.#host.volumes.remove(podUid);
    this.#volumes = undefined;
    this.#host.addresses?.release(podUid);
    this.#address = undefined;
  }

  async #fetch(pod: Pod, fresh: boolean): Promise<void> {
    if (valueSourcesOf(pod).length === 0) return;
    if (this.#values !== undefined && !fresh) return;
    try {
      this.#values = await fetchValues(pod, this.#host.control);
    } catch (error) {
      if (this.#values === undefined || error instanceof ConfigurationError) throw error;
      this.#host.log.warn("secrets and config maps as they were when last read: the control plane does not answer", {
        pod: pod.metadata.name,
        why: String(error),
      });
    }
  }
}
