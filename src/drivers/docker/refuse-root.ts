import { type ContainerRun, DriverError } from "../driver.ts";

/** What runAsNonRoot refuses, in kubelet's words (pkg/kubelet/kuberuntime/security_context.go). A name can be anybody, so it is refused too. */
export function refuseRoot({ pod, ref }: ContainerRun, user: string, isOfImage: boolean): void {
  const name = user.split(":")[0] ?? "";
  const where = `(pod: "${pod.name}_${pod.namespace}(${pod.uid})", container: ${ref.container})`;
  const isRoot = name === "" || name === "root" || Number(name) === 0;
  if (!isRoot && /^\d+$/.test(name)) return;
  const why = !isRoot
    ? `container has runAsNonRoot and ${isOfImage ? "image has" : "it has a"} non-numeric user (${name}), cannot verify user is non-root`
    : isOfImage
      ? "container has runAsNonRoot and image will run as root"
      : "container's runAsUser breaks non-root policy";
  throw new DriverError(`${why} ${where}`, { temporary: false, reason: "CreateContainerConfigError" });
}
