import type { Random } from "../../seams/random.ts";
import type { SimRequest } from "../contract.ts";
import { between, chance, pick, weighted } from "./dice.ts";
import { PROGRAMS, type Workload } from "./workload.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An app, or a small group of apps that depend on one another. */
export function drawMarathon(random: Random, name: string, copies: number): Workload {
  return chance(random, 0.2) ? drawGroup(random, name, copies) : drawApp(random, name, copies);
}

export function drawApp(random: Random, name: string, copies: number): Workload {
  const id = `/${name}`;
  const isExclusive = chance(random, 0.15);
  const app = drawDefinition(random, id, isExclusive ? 1 : copies, isExclusive);
  return {
    dialect: "marathon",
    name: id,
    isExclusive,
    create: [{ method: "POST", path: "/v2/apps", body: app }],
    ...(isExclusive ? {} : { scale: (instances) => put(id, { instances }) }),
    update: (nth) => put(id, { env: { VERSION: `v${nth}` } }),
    more: [
      { method: "POST", path: `/v2/apps${id}/restart?force=true` },
      { method: "DELETE", path: `/v2/apps${id}/tasks` },
    ],
    remove: [{ method: "DELETE", path: `/v2/apps${id}?force=true` }],
  };
}

/** Forced, as a user does who does not want to wait for the deployment that is under way. */
function put(id: string, body: Fields): SimRequest {
  return { method: "PUT", path: `/v2/apps${id}?force=true`, body };
}

function drawGroup(random: Random, name: string, copies: number): Workload {
  const id = `/${name}`;
  const front = Math.max(1, Math.ceil(copies / 2));
  const apps = [
    // What others depend on is sound: a deployment waits for it as long as it takes.
    { ...drawDefinition(random, `${id}/db`, 1, false), ...SOUND },
    { ...drawDefinition(random, `${id}/web`, front, false), dependencies: [`${id}/db`] },
  ];
  return {
    dialect: "marathon",
    name: id,
    isExclusive: false,
    create: [{ method: "POST", path: "/v2/groups", body: { id, apps } }],
    scale: (instances) => put(`${id}/web`, { instances }),
    update: (nth) => put(`${id}/web`, { env: { VERSION: `v${nth}` } }),
    remove: [{ method: "DELETE", path: `/v2/groups${id}?force=true` }],
  };
}

function drawDefinition(random: Random, id: string, instances: number, isExclusive: boolean): Fields {
  const hasPort = chance(random, 0.4);
  return {
    id,
    ...drawProgram(random),
    cpus: between(random, 1, 10) * 0.025,
    mem: between(random, 1, 8) * 32,
    instances,
    backoffSeconds: 1,
    backoffFactor: 1.5,
    maxLaunchDelaySeconds: 30,
    taskKillGracePeriodSeconds: pick(random, [1, 3, 10]),
    ...(hasPort ? { portDefinitions: [{ port: 0, name: "http" }] } : { portDefinitions: [] }),
    ...(hasPort && chance(random, 0.6) ? { healthChecks: [HEALTH] } : {}),
    ...drawConstraints(random),
    ...(isExclusive ? { labels: { "styrmann.dev/exclusive": "true" } } : drawUpgrade(random)),
    ...drawUnreachable(random),
  };
}

const SOUND = {
  cmd: "exec fake/run",
  container: undefined,
  networks: undefined,
  constraints: undefined,
  cpus: 0.025,
  mem: 32,
};

const HEALTH = {
  protocol: "MESOS_TCP",
  portIndex: 0,
  gracePeriodSeconds: 30,
  intervalSeconds: 10,
  timeoutSeconds: 5,
  maxConsecutiveFailures: 3,
};

/** An image, or a command that runs on the host. */
function drawProgram(random: Random): Fields {
  const image = weighted(random, PROGRAMS);
  if (chance(random, 0.3)) return { cmd: `exec ${image}` };
  return { container: { type: "DOCKER", docker: { image } }, networks: [{ mode: "host" }] };
}

function drawConstraints(random: Random): Fields {
  return weighted<Fields>(random, [
    [65, {}],
    [12, { constraints: [["hostname", "UNIQUE"]] }],
    [8, { constraints: [["hostname", "MAX_PER", "2"]] }],
    [8, { constraints: [["@zone", "GROUP_BY"]] }],
    [4, { constraints: [["@zone", "IS", "zone-a"]] }],
    [3, { constraints: [["hostname", "UNLIKE", "n001"]] }],
  ]);
}

function drawUpgrade(random: Random): Fields {
  const minimumHealthCapacity = pick(random, [0, 0.5, 0.75, 1]);
  const maximumOverCapacity = minimumHealthCapacity === 1 ? pick(random, [0.25, 1]) : pick(random, [0, 0.25, 1]);
  return chance(random, 0.7) ? { upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity } } : {};
}

function drawUnreachable(random: Random): Fields {
  return weighted<Fields>(random, [
    [70, {}],
    [10, { unreachableStrategy: "disabled" }],
    [10, { unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 } }],
    [10, { unreachableStrategy: { inactiveAfterSeconds: 20, expungeAfterSeconds: 60 } }],
  ]);
}
