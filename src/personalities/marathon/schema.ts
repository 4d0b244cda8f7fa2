/** The shapes of Marathon's JSON (its RAML), old spellings included. Unknown keys are ignored, as the original does. */
import { z } from "zod";
import { isPathId } from "./ids.ts";

const text = z.string();
const wholeNumber = z.int32();
const atLeastZero = wholeNumber.min(0);
const portNumber = wholeNumber.min(0).max(65535);
const pathId = text.min(1).refine(isPathId, { params: { code: "error.pattern" } });
const labels = z.record(text, text);
const amount = z.number().min(0);
const protocol = z.enum(["tcp", "udp", "udp,tcp", "tcp,udp"]);

const network = z.object({
  mode: z.enum(["container", "container/bridge", "host"]).optional(),
  name: text.optional(),
  labels: labels.optional(),
});

const portDefinition = z.object({
  port: portNumber.optional(),
  protocol: protocol.optional(),
  name: text.optional(),
  labels: labels.optional(),
});

const portMapping = z.object({
  containerPort: portNumber.optional(),
  hostPort: portNumber.optional(),
  servicePort: portNumber.optional(),
  protocol: protocol.optional(),
  name: text.optional(),
  labels: labels.optional(),
  networkNames: z.array(text).optional(),
});

const volume = z.object({
  containerPath: text.optional(),
  hostPath: text.optional(),
  mode: z.enum(["RO", "RW"]).optional(),
  persistent: z.unknown().optional(),
  external: z.unknown().optional(),
  secret: z.unknown().optional(),
});

const docker = z.object({
  image: text.min(1),
  forcePullImage: z.boolean().optional(),
  privileged: z.boolean().optional(),
  parameters: z.array(z.object({ key: text.min(1), value: text })).optional(),
  network: z.enum(["BRIDGE", "HOST", "USER", "NONE"]).optional(),
  portMappings: z.array(portMapping).optional(),
  pullConfig: z.unknown().optional(),
});

const container = z.object({
  type: z.enum(["DOCKER", "MESOS"]).optional(),
  docker: docker.optional(),
  volumes: z.array(volume).optional(),
  portMappings: z.array(portMapping).optional(),
  linuxInfo: z.unknown().optional(),
});

const healthCheck = z.object({
  protocol: z.enum(["HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"]).optional(),
  path: text.optional(),
  port: portNumber.optional(),
  portIndex: atLeastZero.optional(),
  command: z.object({ value: text.min(1) }).optional(),
  gracePeriodSeconds: atLeastZero.optional(),
  intervalSeconds: atLeastZero.optional(),
  timeoutSeconds: atLeastZero.optional(),
  maxConsecutiveFailures: atLeastZero.optional(),
  ignoreHttp1xx: z.boolean().optional(),
  delaySeconds: atLeastZero.optional(),
  ipProtocol: z.enum(["IPv4", "IPv6"]).optional(),
});

const checkPort = { port: portNumber.optional(), portIndex: atLeastZero.optional() };

const check = z.object({
  http: z.object({ ...checkPort, path: text.optional(), scheme: z.enum(["http", "https"]).optional() }).optional(),
  tcp: z.object(checkPort).optional(),
  exec: z.object({ command: z.object({ shell: text.optional(), argv: z.array(text).optional() }) }).optional(),
  intervalSeconds: atLeastZero.optional(),
  timeoutSeconds: atLeastZero.optional(),
  delaySeconds: atLeastZero.optional(),
});

const readinessCheck = z.object({
  name: text.min(1).optional(),
  protocol: z.enum(["HTTP", "HTTPS"]).optional(),
  path: text.optional(),
  portName: text.optional(),
  intervalSeconds: atLeastZero.optional(),
  timeoutSeconds: atLeastZero.optional(),
  httpStatusCodesForReady: z.array(wholeNumber.min(100).max(999)).optional(),
  preserveLastResponse: z.boolean().optional(),
});

const fetch = z.object({
  uri: text.min(1).max(1024),
  extract: z.boolean().optional(),
  executable: z.boolean().optional(),
  cache: z.boolean().optional(),
  destPath: text.optional(),
});

const ipAddress = z.object({
  networkName: text.optional(),
  labels: labels.optional(),
  groups: z.array(text).optional(),
  discovery: z
    .object({
      ports: z.array(z.object({ number: portNumber, name: text, protocol: protocol.optional() })).optional(),
    })
    .optional(),
});

const limit = z.union([amount, z.literal("unlimited")]);

/** Every key an app may have; which are needed depends on the call. `version` and `versionInfo` are the server's. */
export const appUpdateSchema = z.object({
  id: pathId.optional(),
  acceptedResourceRoles: z.array(text.min(1)).min(1).optional(),
  args: z.array(text).optional(),
  backoffFactor: z.number().min(1).max(1e6).optional(),
  backoffSeconds: atLeastZero.optional(),
  check: check.optional(),
  cmd: text.min(1).optional(),
  constraints: z.array(z.array(text)).optional(),
  container: container.optional(),
  cpus: amount.optional(),
  dependencies: z.array(pathId).optional(),
  disk: amount.optional(),
  env: z.record(text, z.union([text, z.object({ secret: text })])).optional(),
  executor: text.optional(),
  executorResources: z
    .object({
      cpus: z.number().min(0.1).optional(),
      mem: z.number().min(32).optional(),
      disk: z.number().min(10).optional(),
    })
    .optional(),
  fetch: z.array(fetch).optional(),
  gpus: atLeastZero.optional(),
  healthChecks: z.array(healthCheck).optional(),
  instances: atLeastZero.optional(),
  ipAddress: ipAddress.optional(),
  killSelection: z.enum(["YOUNGEST_FIRST", "OLDEST_FIRST"]).optional(),
  labels: labels.optional(),
  maxLaunchDelaySeconds: atLeastZero.optional(),
  mem: amount.optional(),
  networks: z.array(network).optional(),
  portDefinitions: z.array(portDefinition).optional(),
  ports: z.array(portNumber).optional(),
  readinessChecks: z.array(readinessCheck).optional(),
  requirePorts: z.boolean().optional(),
  residency: z.record(text, z.unknown()).optional(),
  resourceLimits: z.object({ cpus: limit.optional(), mem: limit.optional() }).optional(),
  role: text.optional(),
  secrets: z.record(text, z.object({ source: text })).optional(),
  taskKillGracePeriodSeconds: atLeastZero.optional(),
  tty: z.boolean().optional(),
  unreachableStrategy: z
    .union([
      z.literal("disabled"),
      z.object({ inactiveAfterSeconds: atLeastZero.optional(), expungeAfterSeconds: atLeastZero.optional() }),
    ])
    .optional(),
  upgradeStrategy: z.object({ minimumHealthCapacity: z.number(), maximumOverCapacity: z.number() }).optional(),
  uris: z.array(text).optional(),
  user: text.optional(),
  version: text.optional(),
});

export type AppUpdate = z.output<typeof appUpdateSchema>;

export interface GroupUpdate {
  readonly id?: string | undefined;
  readonly apps?: readonly AppUpdate[] | undefined;
  readonly groups?: readonly GroupUpdate[] | undefined;
  readonly dependencies?: readonly string[] | undefined;
  readonly scaleBy?: number | undefined;
  readonly version?: string | undefined;
  readonly enforceRole?: boolean | undefined;
}

/** As deep as groups may be nested: a body that goes deeper is not a group anyone wrote. */
const DEEPEST_GROUP = 32;

export const groupUpdateSchema: z.ZodType<GroupUpdate> = groupSchema(DEEPEST_GROUP);

function groupSchema(deeper: number): z.ZodType<GroupUpdate> {
  const nested = deeper === 0 ? z.never() : z.lazy(() => groupSchema(deeper - 1));
  return z.object({
    id: pathId.optional(),
    apps: z.array(appUpdateSchema).optional(),
    groups: z.array(nested).optional(),
    dependencies: z.array(pathId).optional(),
    scaleBy: z.number().min(0).optional(),
    version: text.optional(),
    enforceRole: z.boolean().optional(),
  }) as z.ZodType<GroupUpdate>;
}

export const appUpdateListSchema = z.array(appUpdateSchema);
export const taskIdsSchema = z.object({ ids: z.array(text) });
