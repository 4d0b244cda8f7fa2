/** What the suites need from Debian, installed when root on Debian or Ubuntu; what is missing elsewhere is said, and the tests that need it say so too. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";

interface Need {
  readonly debianPackage: string;
  /** Any of these files means that it is there. */
  readonly files: readonly string[];
}

const NEEDS: readonly Need[] = [
  { debianPackage: "docker.io", files: ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"] },
  { debianPackage: "etcd-server", files: ["/usr/bin/etcd"] },
  { debianPackage: "iproute2", files: ["/usr/sbin/ip", "/usr/bin/ip", "/sbin/ip"] },
  { debianPackage: "iptables", files: ["/usr/sbin/iptables", "/sbin/iptables"] },
  { debianPackage: "nftables", files: ["/usr/sbin/nft"] },
  { debianPackage: "tini", files: ["/usr/bin/tini"] },
  // The package `busybox` is not static and would not run in an empty image.
  { debianPackage: "busybox-static", files: ["/usr/share/doc/busybox-static"] },
  { debianPackage: "docker-registry", files: ["/usr/bin/docker-registry"] },
  { debianPackage: "kubernetes-client", files: ["/usr/bin/kubectl", "/usr/local/bin/kubectl"] },
  { debianPackage: "haproxy", files: ["/usr/sbin/haproxy"] },
  { debianPackage: "openssl", files: ["/usr/bin/openssl"] },
  { debianPackage: "conntrack", files: ["/usr/sbin/conntrack"] },
  { debianPackage: "iputils-ping", files: ["/usr/bin/ping", "/bin/ping"] },
  { debianPackage: "bind9-dnsutils", files: ["/usr/bin/dig"] },
  { debianPackage: "wrk", files: ["/usr/bin/wrk"] },
  { debianPackage: "iperf3", files: ["/usr/bin/iperf3"] },
  { debianPackage: "curl", files: ["/usr/bin/curl"] },
  { debianPackage: "redis-server", files: ["/usr/bin/redis-server"] },
  { debianPackage: "util-linux", files: ["/usr/bin/prlimit"] },
];

function isDebian(): boolean {
  if (!existsSync("/etc/os-release") || !existsSync("/usr/bin/apt-get")) return false;
  return /^ID(?:_LIKE)?=.*(?:debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"));
}

function missing(): readonly string[] {
  return NEEDS.filter(({ files }) => !files.some((file) => existsSync(file))).map(({ debianPackage }) => debianPackage);
}

/** Gives the names of packages that are still missing, with the reason. */
export function installPrerequisites(): { readonly missing: readonly string[]; readonly why: string } {
  const wanted = missing();
  if (wanted.length === 0) return { missing: [], why: "" };
  if (!isDebian()) return { missing: wanted, why: "this is not Debian or Ubuntu" };
  if (userInfo().uid !== 0) return { missing: wanted, why: "not root, so nothing can be installed" };
  console.log(`installing what the suites need: ${wanted.join(" ")}`);
  const options = {
    stdio: ["ignore", "ignore", "inherit"] as ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  spawnSync("apt-get", ["update", "-qq"], options);
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...wanted], options);
  const still = missing();
  return { missing: still, why: still.length > 0 ? "apt-get could not install them" : "" };
}
