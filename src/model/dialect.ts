/** Whose pods are whose: names, ports of every host and routes of a dialect are believed of the pods that its own controllers made. */
import { controllerOf, type StoredObject } from "./meta.ts";
import { ANNOTATION } from "./well-known.ts";

export const KUBERNETES = "kubernetes";
/** Each has a namespace of its name for its pods, and kinds of an API whose group begins with it. */
export const OTHER_DIALECTS: readonly string[] = ["fleet", "marathon"];

/** Anybody may write an annotation; who may write in the dialect's namespace and has its controller for an owner is one of its own. */
export function dialectOf(pod: StoredObject): string {
  const { annotations, namespace } = pod.metadata;
  const said = annotations?.[ANNOTATION.dialect];
  const isBelieved = said !== undefined && namespace === said && said === dialectOfApi(controllerOf(pod)?.apiVersion);
  return isBelieved ? said : KUBERNETES;
}

/** `marathon/v2`, `fleet.styrmann.dev/v1`; undefined for APIs that are no dialect's own. */
export function dialectOfApi(apiVersion = ""): string | undefined {
  const [group = ""] = apiVersion.split(/[./]/);
  return OTHER_DIALECTS.find((dialect) => dialect === group);
}
