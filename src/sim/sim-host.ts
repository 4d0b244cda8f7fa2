/** One host of a simulated cluster: its power, its clock, its disk, its engines, and the production agent on it. */
import { Agent } from "../agent/agent.ts";
import { RemoteControl } from "../agent/remote/remote-control.ts";
import { type Driver, DriverError, type ObservedRun, type RunRef } from "../drivers/driver.ts";
import type { Goodbye } from "../model/heartbeat.ts";
import type { DriverName } from "../model/pod.ts";
import { AddressPool } from "../network/address-pool.ts";
import type { NetworkPart } from "../network/plane/network-part.ts";
import { NetworkPlane } from "../network/plane/network-plane.ts";
import type { Clock } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import type { DriverCall, SimHost, WorldSize } from "./contract.ts";
import { Gate } from "./gate.ts";
import { type Ground, timelineLog } from "./ground.ts";
import { HostTime, ProcessClock } from "./sim-clock.ts";
import { nodeHost, SimDisk } from "./sim-disk.ts";
import { SimEngine } from "./sim-engine.ts";
import { SimMachine } from "./sim-machine.ts";
import type { Station } from "./sim-network.ts";
import { AGENTS_AT } from "./sim-server.ts";
import { Life } from "./sim-time.ts";
import { SimTransport } from "./sim-transport.ts";

/** What a real node has; fakes stand in for all of them. */
const DRIVERS: readonly DriverName[] = ["docker", "process", "unit"];
/** From the request to a running container, as measured with Docker. */
const START_MS = 200;
/** From power to the agent's first step. */
const BOOT_MS = 2_000;
const PULL_FAILED = "Get https://registry-1.docker.io/v2/: net/http: request canceled";
const ZONE_LABEL = "topology.kubernetes.io/zone";
const UP_TO_DAYS_MS = 10 * 86_400_000;

export interface HostOptions {
  readonly node: WorldSize["nodes"][number];
  readonly index: number;
  readonly ground: Ground;
}

/** One boot of the host: what has power. */
interface Boot {
  readonly life: Life;
  readonly machine: SimMachine;
  readonly engines: ReadonlyMap<DriverName, SimEngine>;
  readonly id: string;
}

interface RunningAgent {
  readonly agent: Agent;
  readonly control: RemoteControl;
  readonly life: Life;
  readonly plane: NetworkPlane | undefined;
}

export class Host implements SimHost, Station {
  readonly name: string;
  readonly zone: string;
  readonly time: HostTime;
  readonly #options: HostOptions;
  readonly #ground: Ground;
  readonly #random: Random;
  readonly #disk: SimDisk;
  readonly #io: Gate;
  readonly #engineGate: Gate;
  #boots = 0;
  #boot: Boot | undefined;
  #machine: SimMachine;
  #agent: RunningAgent | undefined;
  #engineDownUntilMs = 0;
  #registryAwayUntilMs = 0;
  #slowPulls = { untilMs: 0, extraMs: 0 };

  constructor(options: HostOptions) {
    const { node, ground } = options;
    this.#options = options;
    this.#ground = ground;
    this.name = node.name;
    this.zone = node.zone;
    this.#random = ground.random.fork(`host ${node.name}`);
    this.time = new HostTime(ground.time, this.#random.int(UP_TO_DAYS_MS), 0);
    this.#disk = new SimDisk(this.#random.fork("disk"));
    const worldMs = () => ground.time.nowMs;
    const at = (ms: number, fn: () => void) => void ground.time.schedule(ms, fn);
    this.#io = new Gate(worldMs, at);
    this.#engineGate = new Gate(worldMs, at);
    this.#boot = this.#newBoot();
    this.#machine = this.#boot.machine;
  }

  get isOn(): boolean {
    return this.#boot !== undefined;
  }

  get isAgentUp(): boolean {
    return this.#agent !== undefined;
  }

  get isFrozen(): boolean {
    return this.time.isFrozen;
  }

  get boot(): Life | undefined {
    return this.#boot?.life;
  }

  get machine(): SimMachine {
    return this.#machine;
  }

  get plane(): NetworkPlane | undefined {
    return this.#agent?.plane;
  }

  /** The production agent, while it runs. */
  get agent(): Agent | undefined {
    return this.#agent?.agent;
  }

  crashAgent(): void {
    if (!this.#agent) return;
    this.#ground.fault(`${this.name}: the agent crashes`);
    this.#killAgent();
  }

  async stopAgent(why: Goodbye["why"] = "agent-restart"): Promise<void> {
    const running = this.#agent;
    if (!running) return;
    this.#ground.fault(`${this.name}: the agent stops (${why})`);
    await this.#ground.time.drive(Promise.race([running.agent.stop(why), running.life.over]));
    running.control.close("the agent stops");
    if (this.#agent === running) this.#killAgent();
  }

  async startAgent(): Promise<void> {
    const boot = this.#boot;
    if (this.#agent || !boot) return;
    this.#ground.fault(`${this.name}: the agent starts`);
    const life = new Life(`the agent of ${this.name}`);
    const started = this.#newAgent(boot, life);
    this.#agent = started;
    started.plane?.follow(started.control);
    await this.#ground.time.drive(Promise.race([started.agent.start(), life.over]));
  }

  powerOff(): void {
    const boot = this.#boot;
    if (!boot) return;
    this.#ground.fault(`${this.name}: power off`);
    const running = [...boot.machine.runs.values()].filter(({ observed }) => observed.state === "running");
    // The network first: nobody is told anything.
    this.#boot = undefined;
    this.#killAgent();
    boot.life.end();
    this.#io.reset();
    this.#engineGate.reset();
    this.#engineDownUntilMs = 0;
    for (const { run } of running) this.#called("power-off", run.ref);
  }

  async powerOn(): Promise<void> {
    if (this.#boot) return;
    this.#ground.fault(`${this.name}: power on`);
    this.time.reboot();
    const boot = this.#newBoot(this.#machine);
    this.#boot = boot;
    this.#machine = boot.machine;
    const booted = new Promise<void>((resolve) => this.time.setTimer(BOOT_MS, resolve, boot.life));
    await this.#ground.time.drive(Promise.race([booted, boot.life.over]));
    if (this.#boot === boot) await this.startAgent();
  }

  async reboot({ announced, offMs }: { readonly announced: boolean; readonly offMs: number }): Promise<void> {
    if (announced) await this.stopAgent("reboot");
    this.powerOff();
    await this.#ground.time.run(offMs);
    await this.powerOn();
  }

  hangEngine(ms: number): void {
    this.#ground.fault(`${this.name}: the engine hangs for ${ms} ms`);
    this.#engineGate.close(ms);
  }

  stopEngine(ms: number): void {
    this.#ground.fault(`${this.name}: the engine is down for ${ms} ms`);
    const engine = this.#boot?.engines.get("docker");
    const untilMs = this.#ground.time.nowMs + ms;
    this.#engineDownUntilMs = Math.max(untilMs, this.#engineDownUntilMs);
    engine?.setDown("Cannot connect to the Docker daemon at unix:///var/run/docker.sock");
    this.#ground.time.schedule(untilMs, () => {
      if (this.#ground.time.nowMs >= this.#engineDownUntilMs) engine?.setDown(undefined);
    });
  }

  stallIo(ms: number): void {
    this.#ground.fault(`${this.name}: the disk stands still for ${ms} ms`);
    this.#io.close(ms);
  }

  freeze(ms: number): void {
    this.#ground.fault(`${this.name}: frozen for ${ms} ms`);
    this.time.freeze(ms);
  }

  setDrift(ppm: number): void {
    this.#ground.fault(`${this.name}: its clock runs ${ppm} ppm fast`);
    this.time.setDrift(ppm);
  }

  jumpWall(ms: number): void {
    this.#ground.fault(`${this.name}: its wall clock jumps by ${ms} ms`);
    this.time.jumpWall(ms);
  }

  failPulls(ms: number): void {
    this.#ground.fault(`${this.name}: the registry is away for ${ms} ms`);
    this.#registryAwayUntilMs = this.#ground.time.nowMs + ms;
  }

  slowPulls(ms: number, extraMs: number): void {
    this.#ground.fault(`${this.name}: pulls take ${extraMs} ms longer for ${ms} ms`);
    this.#slowPulls = { untilMs: this.#ground.time.nowMs + ms, extraMs };
  }

  killOne(random: Random, outOfMemory: boolean): void {
    const running = [...this.#machine.runs.values()].filter(({ observed }) => observed.state === "running");
    const chosen = this.isOn ? running[random.int(Math.max(1, running.length))] : undefined;
    if (!chosen) return;
    const { podUid, container } = chosen.run.ref;
    const what = `${this.name}: ${outOfMemory ? "out of memory" : "killed"}: ${container} of`;
    const { podNames } = this.#ground;
    this.#ground.fault(`${what} ${podUid}`, () => `${what} ${podNames.get(podUid) ?? "?"}  uid=${podUid}`);
    this.#machine.end(chosen.run.ref, 137, outOfMemory);
  }

  #killAgent(): void {
    const running = this.#agent;
    if (!running) return;
    this.#agent = undefined;
    running.life.end();
    this.#disk.crash();
    this.#ground.links.endAll(running.life);
  }

  #newBoot(before?: SimMachine): Boot {
    const life = new Life(`boot ${++this.#boots} of ${this.name}`);
    const clock = new ProcessClock(this.time, life);
    const engines = new Map<DriverName, SimEngine>();
    const machine = new SimMachine(clock, (run) => {
      engines.get(run.driver)?.changed(run);
      this.#called(run.state === "exited" ? "exited" : "running", run.ref);
    });
    machine.onGuardKill = (ref) => this.#called("guard-kill", ref);
    for (const name of DRIVERS) engines.set(name, this.#newEngine(name, machine, clock, before));
    if (before) leaveAfterReboot(before, machine);
    return { life, machine, engines, id: this.#random.uuid() };
  }

  #newEngine(name: DriverName, machine: SimMachine, clock: Clock, before: SimMachine | undefined): SimEngine {
    const gates = name === "docker" ? [this.#io, this.#engineGate] : [this.#io];
    const pull = async () => {
      const { nowMs } = this.#ground.time;
      const { untilMs, extraMs } = this.#slowPulls;
      if (nowMs < untilMs) await clock.sleep(extraMs);
      if (nowMs < this.#registryAwayUntilMs)
        throw new DriverError(PULL_FAILED, { temporary: true, reason: "ErrImagePull" });
    };
    const called = (what: "start" | "stop" | "remove", ref: RunRef) => this.#called(what, ref);
    const left = name === "docker" ? (before?.pods ?? []) : [];
    return new SimEngine({ name, machine, clock, gates, startMs: START_MS, pull, called }, left);
  }

  #newAgent(boot: Boot, life: Life): RunningAgent {
    const { node, index, ground } = this.#options;
    const clock = new ProcessClock(this.time, life);
    const random = this.#random.fork(`agent ${ground.time.fired}`);
    const hostAddress = `192.168.${index >> 8}.${index & 255}`;
    const drivers = [...boot.engines].map(([name, engine]) => [name, engine.driverFor(life)] as const);
    const log = timelineLog(ground.trace, node.name);
    const dialers = [ground.links.dialer({ host: this.name, life }, AGENTS_AT)];
    const control = new RemoteControl({ dialers, clock, random: random.fork("control"), log });
    const probe = ({ id }: { readonly id: string }) =>
      Promise.resolve(ground.wires.reaches(this.name, id) && ground.wires.reaches(id, this.name));
    const plane = ground.hasNetwork
      ? new NetworkPlane({ nodeName: node.name, parts: [slowPart(clock, random)], clock, log, probe })
      : undefined;
    const agent = new Agent({
      control,
      ...(plane ? { gate: plane } : {}),
      drivers: new Map<DriverName, Driver>(drivers),
      addresses: new AddressPool(`10.${42 + (index >> 8)}.${index & 255}.0/24`),
      volumes: this.#disk.volumesFor(this.#io),
      record: this.#disk.recordFor(life, clock, this.#io),
      host: nodeHost(node.name, node, boot.id, this.#io),
      clock,
      random,
      transport: new SimTransport(() => boot.machine, hostAddress, clock),
      log,
      probeDisk: () => this.#io.pass(),
      nodeName: node.name,
      labels: { [ZONE_LABEL]: node.zone },
      hostAddress,
      version: "simulated",
    });
    return { agent, control, life, plane };
  }

  #called(what: DriverCall["what"], { podUid, container, attempt }: RunRef): void {
    const { trace, observers, podNames } = this.#ground;
    trace.add("driver", `${this.name} ${what} ${podUid}/${container}/${attempt}`, () => {
      return `${this.name} ${what} ${podNames.get(podUid) ?? "?"} ${container}/${attempt}  uid=${podUid}`;
    });
    observers.tell((observer) => observer.driver?.({ host: this.name, what, podUid, container, attempt }));
  }
}

/** Rules that take a while to be made, and sometimes cannot be. */
function slowPart(clock: Clock, random: Random): NetworkPart {
  return {
    name: "rules",
    async apply() {
      await clock.sleep(random.int(30));
      if (random.int(20) === 0) throw new Error("rules cannot be made now");
    },
    stop: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    report: () => ({ state: "working" }),
  };
}

/** Containers are still known to their engine, as ended ones; processes and units are gone with the power. */
function leaveAfterReboot(before: SimMachine, machine: SimMachine): void {
  for (const image of before.images) machine.images.add(image);
  for (const [key, { run, output, observed }] of before.runs) {
    if (observed.driver !== "docker") continue;
    machine.pods.add(run.ref.podUid);
    machine.runs.set(key, { run, output, observed: endedByPower(observed, machine.clock) });
  }
}

function endedByPower(observed: ObservedRun, clock: Clock): ObservedRun {
  return observed.state === "exited"
    ? observed
    : { ...observed, state: "exited", exitCode: 255, finishedAtMs: clock.now() };
}
