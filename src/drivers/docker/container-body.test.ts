import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ContainerRun } from "../driver.ts";
import { DriverError } from "../driver.ts";
import { appBody, type BodySettings, infraBody } from "./container-body.ts";
import { appName, infraName, LABEL, refOf } from "./labels.ts";

const settings: BodySettings = {
  ...{ instance: "i1", network: "styrmann", cgroupParent: "/styrmann/u1", oomScoreFloor: -1000 },
  logs: { bytesPerFile: 1000, files: 2 },
};

function runOf(change: Partial<ContainerRun> = {}, pod: Partial<ContainerRun["pod"]> = {}): ContainerRun {
  return {
    ref: { podUid: "u1", container: "main", attempt: 2 },
    pod: {
      ...{ uid: "u1", namespace: "default", name: "web-1", hostname: "web-1", workload: "web", hostNetwork: false },
      ...{ sharesNamespaces: false, shareProcessNamespace: false, address: "10.42.0.5", ports: [], hostAliases: [] },
      ...pod,
    },
    spec: { name: "main", image: "busybox:1" },
    ...{ env: {}, mounts: [], limits: { cpuRequestMillis: 500 } },
    ...change,
  };
}

const withParameters = (...parameters: { key: string; value: string }[]) =>
  appBody(runOf({ spec: { name: "main", image: "a:1", docker: { parameters } } }), settings);

describe("body of a container", () => {
  test("command and args take the place of entrypoint and cmd, and only where given", () => {
    const both = appBody(runOf({ spec: { name: "main", image: "a:1", command: ["sh", "-c"], args: ["x"] } }), settings);
    assert.deepEqual([both.Entrypoint, both.Cmd], [["sh", "-c"], ["x"]]);
    const none = appBody(runOf({ spec: { name: "main", image: "a:1", args: [] } }), settings);
    assert.ok(!("Entrypoint" in none) && !("Cmd" in none));
  });

  test("namespaces of the host, groups, DNS and kernel settings: of the one container, or of the one that holds the others together", () => {
    const dns = { nameservers: ["10.0.0.53"], searches: ["corp.example"], options: ["ndots:2"] };
    const pod = { dns, groups: [7, 8], sysctls: { "net.core.somaxconn": "1024" }, hostPID: true };
    const network = { Dns: ["10.0.0.53"], DnsSearch: ["corp.example"], DnsOptions: ["ndots:2"] };
    const mine = { GroupAdd: ["7", "8"], PidMode: "host" };
    const fields = ["Dns", "DnsSearch", "DnsOptions", "GroupAdd", "Sysctls", "PidMode", "IpcMode"];
    const of = (body: ReturnType<typeof appBody>) =>
      Object.fromEntries(Object.entries(body.HostConfig).filter(([field]) => fields.includes(field)));
    assert.deepEqual(of(appBody(runOf({}, pod), settings)), { ...mine, ...network, Sysctls: pod.sysctls });
    assert.deepEqual(of(appBody(runOf({}, { hostIPC: true }), settings)), { IpcMode: "host" });
    const infra = of(infraBody(runOf({}, pod).pod, "styrmann/infra:1", settings));
    assert.deepEqual(infra, { ...network, Sysctls: pod.sysctls, IpcMode: "shareable" });
    const joined = (more: object) => of(appBody(runOf({}, { ...pod, ...more }), { ...settings, infraId: "i" }));
    assert.deepEqual(joined({}), { ...mine, IpcMode: "container:i" });
    assert.deepEqual(joined({ hostIPC: true }), { ...mine, IpcMode: "host" });
    assert.deepEqual(joined({ hostNetwork: true }), { ...mine, ...network, IpcMode: "container:i" });
  });

  describe("its network", () => {
    const parameter = (key: string, value: string) => ({ parameters: [{ key, value }] });
    const bodyOf = (docker: object, hostNetwork = false, network = "styrmann") =>
      appBody(runOf({ spec: { name: "main", image: "a:1", docker } }, { hostNetwork }), { ...settings, network });
    const placeOf = ({ HostConfig, NetworkingConfig, Labels }: ReturnType<typeof appBody>) => [
      HostConfig.NetworkMode,
      NetworkingConfig !== undefined,
      Labels[LABEL.network],
    ];

    test("is the pods', with the address that was given, also for those who name it", () => {
      const wanted = ["own", true, undefined];
      for (const name of ["styrmann", "own"])
        for (const docker of [{ network: name }, parameter("network", name), parameter("net", name)])
          assert.deepEqual(placeOf(bodyOf(docker, false, "own")), wanted, JSON.stringify(docker));
      assert.deepEqual(placeOf(bodyOf({}, false, "own")), wanted);
    });

    test("or one of the user's, which gives the address and is marked, so that Docker is asked for it", () => {
      for (const docker of [{ network: "theirs" }, parameter("network", "theirs"), parameter("--net", "theirs")])
        assert.deepEqual(placeOf(bodyOf(docker)), ["theirs", false, "theirs"], JSON.stringify(docker));
    });

    test("or the host's", () => {
      assert.deepEqual(placeOf(bodyOf({}, true)), ["host", false, undefined]);
      assert.deepEqual(placeOf(bodyOf(parameter("network", "theirs"), true)), ["theirs", false, "theirs"]);
    });
  });

  test("no new privileges, and a stop signal of its own", () => {
    const spec = { name: "main", image: "a:1", lifecycle: { stopSignal: "SIGQUIT" } };
    const body = appBody(runOf({ spec: { ...spec, securityContext: { allowPrivilegeEscalation: false } } }), settings);
    assert.deepEqual([body.StopSignal, body.HostConfig.SecurityOpt], ["SIGQUIT", ["no-new-privileges"]]);
  });

  test("a pod of one container has its address and ports itself", () => {
    const ports = [
      { containerPort: 80, hostPort: 8080, protocol: "tcp" as const },
      { containerPort: 80, hostPort: 8081, hostIP: "127.0.0.1", protocol: "tcp" as const },
    ];
    const body = appBody(runOf({}, { ports }), settings);
    assert.deepEqual(body.NetworkingConfig, {
      EndpointsConfig: { styrmann: { IPAMConfig: { IPv4Address: "10.42.0.5" } } },
    });
    assert.deepEqual(body.HostConfig.PortBindings, {
      "80/tcp": [
        { HostIp: "0.0.0.0", HostPort: "8080" },
        { HostIp: "127.0.0.1", HostPort: "8081" },
      ],
    });
    assert.equal(body.Hostname, "web-1");
  });

  test("host ports are at no IPv6 address, where no policy is; on a network of the user's, which has none, they are where Docker puts them", () => {
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: "tcp" as const }];
    const placesOf = ({ HostConfig }: ReturnType<typeof appBody>) => HostConfig.PortBindings;
    const at = (HostIp: string) => ({ "80/tcp": [{ HostIp, HostPort: "8080" }] });
    assert.deepEqual(placesOf(infraBody(runOf({}, { ports }).pod, "infra", settings)), at("0.0.0.0"));
    const onTheirs = { name: "main", image: "a:1", docker: { network: "theirs" } };
    assert.deepEqual(placesOf(appBody(runOf({ spec: onTheirs }, { ports }), settings)), at(""));
  });

  test("in a pod of several, the infra container has address, ports and host names; the others join it", () => {
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: "tcp" as const }];
    const hostAliases = [{ ip: "10.1.1.1", hostnames: ["db", "cache"] }];
    const run = runOf({}, { sharesNamespaces: true, shareProcessNamespace: true, ports, hostAliases });
    const infra = infraBody(run.pod, "styrmann/infra:1", settings);
    assert.deepEqual(infra.HostConfig.ExtraHosts, ["db:10.1.1.1", "cache:10.1.1.1"]);
    assert.ok(infra.NetworkingConfig && infra.HostConfig.PortBindings && infra.HostConfig.IpcMode === "shareable");
    const app = appBody(run, { ...settings, infraId: "abc" });
    const { NetworkMode, IpcMode, PidMode, PortBindings, ExtraHosts } = app.HostConfig;
    assert.deepEqual([NetworkMode, IpcMode, PidMode], ["container:abc", "container:abc", "container:abc"]);
    assert.deepEqual(
      [PortBindings, ExtraHosts, app.Hostname, app.NetworkingConfig],
      [undefined, undefined, undefined, undefined],
    );
  });

  test("the host's network has no host name, address or ports of its own", () => {
    const { HostConfig, Hostname, NetworkingConfig } = appBody(runOf({}, { hostNetwork: true }), settings);
    assert.deepEqual([HostConfig.NetworkMode, Hostname, NetworkingConfig], ["host", undefined, undefined]);
  });

  test("limits as kubelet reckons them; no score below what the host allows", () => {
    const limits = { cpuRequestMillis: 1, cpuLimitMillis: 5, memoryLimitBytes: 1e8, oomScoreAdjust: -997 };
    const { HostConfig } = appBody(runOf({ limits }), { ...settings, oomScoreFloor: 0 });
    const { CpuShares, CpuQuota, CpuPeriod, Memory, MemorySwap, OomScoreAdj } = HostConfig;
    assert.deepEqual(
      [CpuShares, CpuQuota, CpuPeriod, Memory, MemorySwap, OomScoreAdj],
      [2, 1000, 100_000, 1e8, 1e8, 0],
    );
  });

  test("user, group, mounts, capabilities, and a file system that cannot be written", () => {
    const securityContext = {
      privileged: true,
      readOnlyRootFilesystem: true,
      capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
    };
    const mounts = [{ hostPath: "/a:b", mountPath: "/c", readOnly: true }];
    const spec = { name: "main", image: "a:1", securityContext, workingDir: "/w", tty: true, stdin: true };
    const body = appBody(runOf({ spec, mounts, runAsUser: 7, runAsGroup: 8 }), settings);
    assert.deepEqual([body.User, body.WorkingDir, body.Tty, body.OpenStdin], ["7:8", "/w", true, true]);
    assert.deepEqual(body.HostConfig.Mounts, [{ Type: "bind", Source: "/a:b", Target: "/c", ReadOnly: true }]);
    const { Privileged, ReadonlyRootfs, CapAdd, CapDrop } = body.HostConfig;
    assert.deepEqual([Privileged, ReadonlyRootfs, CapAdd, CapDrop], [true, true, ["NET_ADMIN"], ["ALL"]]);
  });
});

describe("Docker parameters", () => {
  const config = (key: string, value: string) => withParameters({ key, value }).HostConfig;

  test("known ones become fields of the engine's API", () => {
    assert.equal(config("privileged", "true").Privileged, true);
    assert.deepEqual(config("v", "/data:/data:ro").Binds, ["/data:/data:ro"]);
    assert.equal(config("memory-swap", "-1").MemorySwap, -1);
    assert.equal(config("memory", "1.5g").Memory, 1.5 * 2 ** 30);
    assert.equal(config("shm-size", "64kb").ShmSize, 65_536);
    assert.deepEqual(config("ulimit", "nofile=1024:2048").Ulimits, [{ Name: "nofile", Soft: 1024, Hard: 2048 }]);
    assert.equal(config("cpus", "1.5").CpuQuota, 150_000);
    assert.deepEqual(config("device", "/dev/fuse").Devices, [
      { PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rwm" },
    ]);
    const logged = withParameters({ key: "log-driver", value: "syslog" }, { key: "log-opt", value: "tag=a=b" });
    assert.deepEqual(logged.HostConfig.LogConfig, { Type: "syslog", Config: { tag: "a=b" } });
    assert.equal(withParameters({ key: "--hostname", value: "h" }).Hostname, "h");
    assert.deepEqual(withParameters({ key: "volume", value: "/scratch" }).Volumes, { "/scratch": {} });
  });

  test("a pod with a domain has a whole name, which is its infra container's where it has one", () => {
    const dns = { nameservers: [], searches: [], options: [], domain: "db.shop.svc.cluster.local" };
    const run = runOf({}, { dns });
    assert.deepEqual([appBody(run, settings).Hostname, appBody(run, settings).Domainname], ["web-1", dns.domain]);
    assert.equal(infraBody(run.pod, "styrmann/infra:1", settings).Domainname, dns.domain);
    assert.equal(appBody(run, { ...settings, infraId: "abc" }).Domainname, undefined);
    assert.equal(appBody(runOf(), settings).Domainname, undefined);
  });

  test("a user's network takes the place of the pod's, address included", () => {
    const body = withParameters({ key: "net", value: "host" });
    assert.deepEqual([body.HostConfig.NetworkMode, body.NetworkingConfig], ["host", undefined]);
  });

  for (const [key, value, words] of [
    ["nonsense", "1", /"nonsense=1": is not known here; known are add-host, /],
    ["publish", "80:80", /give ports in portMappings/],
    ["restart", "always", /restarts are styr's/],
    ["constructor", "1", /is not known here/],
    ["privileged", "maybe", /want true or false/],
    ["memory", "lots", /want a size such as 512m/],
    ["ulimit", "nofile", /want NAME=SOFT\[:HARD\]/],
    ["volume", "/a:relative", /want HOST:CONTAINER/],
    ["label", "dev.styrmann.pod-uid=x", /styr's own/],
  ] as const)
    test(`${key}=${value} is refused in words`, () => {
      assert.throws(
        () => withParameters({ key, value }),
        (error) => error instanceof DriverError && !error.temporary && words.test(error.message),
      );
    });
});

describe("names and marks", () => {
  test("a name tells the workload, the pod and the attempt, and is one that Docker takes", () => {
    assert.match(appName(runOf(), "i1"), /^styr-web-1-[0-9a-f]{8}\.2$/);
    assert.match(
      appName(runOf({}, { workload: "/shop/cart", name: "x.y" }), "i1"),
      /^styr-shop-cart-x\.y-[0-9a-f]{8}\.2$/,
    );
    assert.match(appName(runOf({}, { sharesNamespaces: true }), "i1"), /^styr-web-1-main-[0-9a-f]{8}\.2$/);
    assert.match(infraName(runOf().pod, "i1"), /^styr-web-1-infra-[0-9a-f]{8}$/);
    assert.match(appName(runOf({}, { name: "ü../$(x)", workload: "" }), "i1"), /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
  });

  test("two instances and two pods of the same name have different names", () => {
    const other = runOf({ ref: { podUid: "u2", container: "main", attempt: 2 } });
    assert.equal(new Set([appName(runOf(), "i1"), appName(runOf(), "i2"), appName(other, "i1")]).size, 3);
  });

  test("labels say which run it is; others' and the infra container's say none", () => {
    assert.deepEqual(refOf(appBody(runOf(), settings).Labels), runOf().ref);
    assert.equal(refOf(infraBody(runOf().pod, "i", settings).Labels), undefined);
    assert.equal(refOf({}), undefined);
  });
});
