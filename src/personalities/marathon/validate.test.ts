import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError } from "../../model/errors.ts";
import { bodyOf } from "./test-app.ts";
import { assertValid } from "./validate.ts";

const IMAGE = { docker: { image: "nginx" } };
const BRIDGE = { container: IMAGE, networks: [{ mode: "container/bridge" }] };
const HEALTH_PORTS = "Health check port indices must address an element of the ports array or container port mappings.";
const COMMAND = "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";

const REFUSED: readonly (readonly [object, string, string])[] = [
  [{}, "/", COMMAND],
  [{ cmd: "ls -l", args: ["x"], container: IMAGE }, "/", COMMAND],
  [{ cmd: "x" }, "/cmd", "must not be an empty string"],
  [{ cmd: "ls", constraints: [["hostname"]] }, "/constraints(0)", "Each constraint must have either 2 or 3 fields"],
  [{ cmd: "ls", constraints: [["hostname", "UNIQUE", ""]] }, "/constraints(0)", "UNIQUE does not accept a value"],
  [
    { cmd: "ls", constraints: [["hostname", "NEAR", "x"]] },
    "/constraints(0)",
    "operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS",
  ],
  [
    { cmd: "ls", constraints: [["rack", "GROUP_BY", "x"]] },
    "/constraints(0)",
    "GROUP BY must define an integer value or else no value at all",
  ],
  [{ cmd: "ls", constraints: [["rack", "MAX_PER"]] }, "/constraints(0)", "MAX_PER requires an integer value"],
  [
    { cmd: "ls", constraints: [["rack", "LIKE"]] },
    "/constraints(0)",
    "LIKE and UNLIKE require a non-empty, regular expression value",
  ],
  [{ cmd: "ls", constraints: [["rack", "LIKE", "("]] }, "/constraints(0)", "'(' is not a valid regular expression"],
  [
    { cmd: "ls", constraints: [["rack", "IS", "a b"]] },
    "/constraints(0)",
    "IS only supports Mesos text and float values (see http://mesos.apache.org/documentation/latest/attributes-resources/)",
  ],
  [
    { cmd: "ls", upgradeStrategy: { minimumHealthCapacity: 1.2, maximumOverCapacity: 0 } },
    "/upgradeStrategy/minimumHealthCapacity",
    "got 1.2, expected between 0.0 and 1.0",
  ],
  [
    { cmd: "ls", instances: 2, labels: { MARATHON_SINGLE_INSTANCE_APP: "true" } },
    "/instances",
    "Single instance app may only have one instance",
  ],
  [
    { cmd: "ls", unreachableStrategy: { inactiveAfterSeconds: 9, expungeAfterSeconds: 3 } },
    "/unreachableStrategy/inactiveAfterSeconds",
    "inactiveAfterSeconds (9) must be less or equal to expungeAfterSeconds, which is 3",
  ],
  [
    { cmd: "ls", labels: { "styrmann.dev/when-unreachable": "soon" } },
    "/labels/styrmann.dev/when-unreachable",
    'got "soon", expected "keep", "replace" or a duration such as "5m"',
  ],
  [{ cmd: "ls", healthChecks: [{ portIndex: 4 }] }, "/healthChecks(0)", HEALTH_PORTS],
  [{ cmd: "ls", portDefinitions: [], healthChecks: [{}] }, "/healthChecks(0)", HEALTH_PORTS],
  [
    { cmd: "ls", healthChecks: [{ protocol: "COMMAND" }] },
    "/healthChecks(0)",
    "COMMAND health check must specify a command",
  ],
  [
    { cmd: "ls", healthChecks: [{ protocol: "MESOS_TCP" }, { protocol: "MESOS_HTTP" }] },
    "/",
    "AppDefinition can contain at most one Mesos health check",
  ],
  [
    { cmd: "ls", readinessChecks: [{ portName: "nope" }] },
    "/readinessChecks(0)/portName",
    "No port definition reference for portName nope",
  ],
  [
    { ...BRIDGE, portDefinitions: [{ port: 1 }] },
    "/portDefinitions",
    "portDefinitions are only allowed with host-networking",
  ],
  [
    { container: { ...IMAGE, portMappings: [{ containerPort: 1 }] } },
    "/container/portMappings",
    "portMappings are not allowed with host-networking",
  ],
  [
    { container: { ...IMAGE, portMappings: [{ name: "a" }, { name: "a" }] }, networks: [{ mode: "container/bridge" }] },
    "/container/portMappings",
    "Port names must be unique.",
  ],
  [{ cmd: "ls", portDefinitions: [{ port: 7 }, { port: 7 }] }, "/portDefinitions", "Ports must be unique."],
  [
    { cmd: "ls", networks: [{ mode: "host", name: "x" }] },
    "/networks(0)",
    "Host networks may not have names or labels",
  ],
  [
    { container: IMAGE, networks: [{ mode: "container/bridge", name: "x" }] },
    "/networks(0)",
    "Bridge networks may not have names",
  ],
  [{ container: IMAGE, networks: [{}] }, "/networks(0)", "container network name is not defined"],
  [{ cmd: "ls", container: { type: "DOCKER" } }, "/container/docker", "not defined"],
  [{ cmd: "ls", mem: 1e30 }, "/mem", "got 1e+30, expected 1073741824 or less"],
  [
    { container: { ...IMAGE, volumes: [{ containerPath: "/a", hostPath: "rel", mode: "RO" }] } },
    "/container/volumes(0)/hostPath",
    "must be an absolute path",
  ],
  [
    { container: { ...IMAGE, volumes: [{ containerPath: "../a", hostPath: "/b" }] } },
    "/container/volumes(0)/containerPath",
    "must not contain '..'",
  ],
  [
    { cmd: "ls", cpus: 2, resourceLimits: { cpus: 1 } },
    "/resourceLimits/cpus",
    "resource limit must be greater than or equal to requested resource (2)",
  ],
];

describe("validating an app", () => {
  for (const [given, field, message] of REFUSED) {
    test(`${JSON.stringify(given)} is refused at ${field}`, () => {
      assert.throws(
        () => assertValid(bodyOf(given)),
        (error) => {
          assert.ok(error instanceof ApiError);
          assert.equal(error.message, "Object is not valid");
          assert.deepEqual(
            error.causes.filter((cause) => cause.field === field).map((cause) => cause.message),
            [message],
          );
          return true;
        },
      );
    });
  }

  for (const given of [
    { cmd: "sleep 1" },
    { args: ["sleep", "1"] },
    { container: IMAGE },
    { ...BRIDGE, cmd: "ls" },
    {
      cmd: "ls",
      constraints: [
        ["rack", "GROUP_BY"],
        ["rack", "GROUP_BY", "3"],
        ["a", "LIKE", "x.*"],
        ["b", "CLUSTER"],
      ],
    },
    {
      cmd: "ls",
      healthChecks: [
        { protocol: "COMMAND", command: { value: "true" } },
        { protocol: "TCP", port: 80 },
      ],
    },
    { cmd: "ls", container: { type: "MESOS", volumes: [{ containerPath: "data", hostPath: "/srv" }] } },
  ]) {
    test(`${JSON.stringify(given)} is good`, () => assertValid(bodyOf(given)));
  }
});
