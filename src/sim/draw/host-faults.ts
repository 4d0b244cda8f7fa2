/** What happens to hosts, their agents, engines, disks and clocks. */
import type { Random } from "../../seams/random.ts";
import type { SimHost, World } from "../contract.ts";
import { between, chance, duration, pick } from "./dice.ts";
import type { Step } from "./step.ts";

/** Where and when a fault is, and by when it must be over. */
export interface Spot {
  readonly host: string;
  readonly atMs: number;
  readonly untilMs: number;
}

/** The steps of one fault; each is over by the end of the spot. */
export type HostFault = (random: Random, spot: Spot) => readonly Step[];

function at(
  { host }: Spot,
  atMs: number,
  kind: string,
  words: string,
  perform: (host: SimHost, world: World) => Promise<void> | void,
): Step {
  return {
    ...{ atMs, kind: `fault/${kind}`, words: `${host}: ${words}` },
    perform: (world) => {
      const meant = world.hosts.get(host);
      return meant === undefined ? undefined : perform(meant, world);
    },
  };
}

/** A second is left for what takes time after the fault itself. */
function lasting(random: Random, { atMs, untilMs }: Spot, leastMs: number, mostMs: number): number {
  return Math.min(duration(random, leastMs, mostMs), Math.max(1, untilMs - atMs - 1_000));
}

const agentCrash: HostFault = (random, spot) => {
  const forMs = lasting(random, spot, 50, 60_000);
  return [
    at(spot, spot.atMs, "agent-crash", "the agent is killed", (host) => {
      if (host.isOn && host.isAgentUp) host.crashAgent();
    }),
    at(spot, spot.atMs + forMs, "agent-start", "the agent starts", startAgent),
  ];
};

const agentRestart: HostFault = (random, spot) => {
  const forMs = lasting(random, spot, 200, 30_000);
  return [
    at(spot, spot.atMs, "agent-stop", "the agent stops in order", async (host) => {
      if (host.isOn && host.isAgentUp) await host.stopAgent();
    }),
    at(spot, spot.atMs + forMs, "agent-start", "the agent starts", startAgent),
  ];
};

async function startAgent(host: SimHost): Promise<void> {
  if (host.isOn && !host.isAgentUp) await host.startAgent();
}

const powerCut: HostFault = (random, spot) => {
  const forMs = lasting(random, spot, 1_000, 120_000);
  return [
    at(spot, spot.atMs, "power-off", "loses its power", (host) => {
      if (host.isOn) host.powerOff();
    }),
    at(spot, spot.atMs + forMs, "power-on", "has power again", async (host) => {
      if (!host.isOn) await host.powerOn();
    }),
  ];
};

const reboot: HostFault = (random, spot) => {
  const announced = chance(random, 0.7);
  const offMs = lasting(random, spot, 5_000, 120_000);
  const kind = announced ? "reboot-announced" : "reboot";
  const words = announced ? "reboots, and said so" : "reboots without a word";
  return [
    at(spot, spot.atMs, kind, words, async (host) => {
      if (host.isOn) await host.reboot({ announced, offMs });
    }),
  ];
};

function standing(kind: string, words: string, mostMs: number, call: (host: SimHost, ms: number) => void): HostFault {
  return (random, spot) => {
    const ms = lasting(random, spot, 500, mostMs);
    return [
      at(spot, spot.atMs, kind, `${words} for ${ms} ms`, (host) => {
        if (host.isOn) call(host, ms);
      }),
    ];
  };
}

const engineHang = standing("engine-hang", "the engine hangs", 60_000, (host, ms) => host.hangEngine(ms));
const engineDown = standing("engine-down", "the engine is down", 60_000, (host, ms) => host.stopEngine(ms));
const ioStall = standing("io-stall", "disk and engine stand still", 60_000, (host, ms) => host.stallIo(ms));
const freeze = standing("freeze", "the whole host stands still", 60_000, (host, ms) => host.freeze(ms));
const pullsFail = standing("pulls-fail", "no pull succeeds", 60_000, (host, ms) => host.failPulls(ms));
const pullsSlow = standing("pulls-slow", "pulls take 20 s longer", 60_000, (host, ms) => host.slowPulls(ms, 20_000));

const drift: HostFault = (random, spot) => {
  const ppm = pick(random, [-200, -50, 50, 200]);
  return [at(spot, spot.atMs, "clock-drift", `its clock drifts by ${ppm} ppm`, (host) => host.setDrift(ppm))];
};

const wallJump: HostFault = (random, spot) => {
  const ms = (chance(random, 0.5) ? 1 : -1) * duration(random, 500, 3_600_000);
  return [at(spot, spot.atMs, "clock-jump", `its wall clock jumps by ${ms} ms`, (host) => host.jumpWall(ms))];
};

const killSome: HostFault = (random, spot) => {
  const outOfMemory = chance(random, 0.4);
  const words = outOfMemory ? "the kernel kills a container for memory" : "a container dies";
  return Array.from({ length: between(random, 1, 4) }, (_, i) => {
    const chosen = random.fork(`kill ${spot.host} ${spot.atMs} ${i}`);
    return at(spot, spot.atMs + i * 700, "container-killed", words, (host) => {
      if (host.isOn) host.killOne(chosen, outOfMemory);
    });
  });
};

/** Faults that take a host for themselves, with their weights. */
export const HOST_FAULTS = [
  [8, agentCrash],
  [6, agentRestart],
  [8, powerCut],
  [6, reboot],
  [5, engineHang],
  [4, engineDown],
  [6, ioStall],
  [4, freeze],
] as const;

/** Faults that can be had beside any other. */
export const SIDE_FAULTS = [
  [3, drift],
  [3, wallJump],
  [8, killSome],
  [3, pullsFail],
  [3, pullsSlow],
] as const;
