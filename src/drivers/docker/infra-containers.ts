/** The containers that hold the address, ports and IPC of pods with several containers. */
import { DriverError, type PodRun } from "../driver.ts";
import { type BodySettings, infraBody } from "./container-body.ts";
import { inspectContainer } from "./container-streams.ts";
import type { Engine } from "./engine.ts";
import { type Images, importImage } from "./images.ts";
import { infraImage } from "./infra-image.ts";
import { infraName, LABEL } from "./labels.ts";
import { already, isRefusal, withReason } from "./refusal.ts";
import { SingleFlight } from "./single-flight.ts";

interface Options {
  readonly engine: Engine;
  readonly instance: string;
  readonly images: Images;
}

export class InfraContainers {
  readonly #options: Options;
  readonly #flights = new SingleFlight<string>();
  readonly #imports = new SingleFlight<void>();
  /** Ids by pod uid, of ones that were started or seen running; an app container that cannot join corrects it. */
  readonly #ids = new Map<string, string>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** The id of the pod's running infra container; the pod's containers may ask at the same time. */
  async ensure(pod: PodRun, architecture: string, settings: BodySettings): Promise<string> {
    const known = this.#ids.get(pod.uid);
    if (known !== undefined) return known;
    const id = await this.#flights.run(pod.uid, () =>
      withReason("CreatePodSandboxError", () => this.#start(pod, architecture, settings)),
    );
    this.#ids.set(pod.uid, id);
    return id;
  }

  forget(podUid: string): void {
    this.#ids.delete(podUid);
  }

  forgetAll(): void {
    this.#ids.clear();
  }

  async #start(pod: PodRun, architecture: string, settings: BodySettings): Promise<string> {
    const { engine, instance } = this.#options;
    const image = await this.#ensureImage(architecture);
    const name = infraName(pod, instance);
    const id = await this.#create(name, infraBody(pod, image, settings));
    await already([304], () => engine.call({ method: "POST", path: `/containers/${id}/start`, timeoutMs: 60_000 }));
    return id;
  }

  async #create(name: string, body: object): Promise<string> {
    const { engine } = this.#options;
    try {
      return (await engine.call<{ Id: string }>({ method: "POST", path: "/containers/create", query: { name }, body }))
        .Id;
    } catch (error) {
      if (!isRefusal(error, 409)) throw error;
      const { Id, Config } = await inspectContainer(engine, name);
      if (Config.Labels?.[LABEL.role] === "infra") return Id;
      throw new DriverError(error.message, { temporary: true, reason: "CreatePodSandboxError", cause: error });
    }
  }

  async #ensureImage(architecture: string): Promise<string> {
    const { engine, instance, images } = this.#options;
    const image = infraImage(architecture);
    if (await images.has(image.name)) return image.name;
    const changes = [`ENTRYPOINT ${JSON.stringify(image.entrypoint)}`, `LABEL ${LABEL.instance}=${instance}`];
    await this.#imports.run(image.name, () => importImage(engine, image.layer, image.name, changes));
    return image.name;
  }
}
