import { defineKind, type ObjectMeta, type StoredObject } from "./meta.ts";

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

/** Kubernetes' core/v1 Event: what happened to an object, counted when it happens again. */
export interface Event {
  readonly apiVersion: string;
  readonly kind: "Event";
  readonly metadata: ObjectMeta;
  readonly involvedObject: ObjectReference;
  readonly type: "Normal" | "Warning";
  /** One word, UpperCamelCase: Scheduled, Pulled, BackOff, … */
  readonly reason: string;
  readonly message: string;
  readonly source: { readonly component: string; readonly host?: string };
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly count: number;
}

/** Index `about`: events by the uid of the object they are about. */
export const events = defineKind<Event>("Event", "v1", "namespaced", {
  about: (event) => [event.involvedObject.uid],
});

export function referenceTo(object: StoredObject): ObjectReference {
  const { namespace, name, uid } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    uid,
    ...(namespace === undefined ? {} : { namespace }),
  };
}
