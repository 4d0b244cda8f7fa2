/** What only Marathon knows, as it is stored. */
import { SERVICE_PORT_INDEX } from "../../model/discovery.ts";
import { defineKind, type ObjectMeta } from "../../model/meta.ts";
import { type AppDefinition, portHalves, portsOf } from "./app-definition.ts";

/** Everything of Marathon's lives in this namespace. */
export const NAMESPACE = "marathon";
export const API_VERSION = "marathon/v2";

/** An app. `metadata.deletionTimestamp` is set once it was deleted: nobody sees it any more, and it goes when its tasks have stopped. */
export interface App {
  readonly apiVersion: string;
  readonly kind: "App";
  readonly metadata: ObjectMeta;
  readonly spec: AppSpec;
  readonly status: AppStatus;
}

interface AppSpec {
  /** What is wanted: the newest version. */
  readonly definition: AppDefinition;
  /** What instances are made from. Behind `definition` until a deployment comes to this app; absent before its first. */
  readonly active?: AppDefinition;
  /** A deployment was cancelled with force: instances of older versions are left as they are. */
  readonly mixed?: boolean;
}

interface AppStatus {
  readonly backoff?: LaunchDelay;
  readonly lastTaskFailure?: TaskFailure;
}

/** Why the next launch waits. */
export interface LaunchDelay {
  /** The delay belongs to this configuration (versionInfo.lastConfigChangeAt). */
  readonly configVersion: string;
  readonly delaySeconds: number;
  readonly failedAtMs: number;
  readonly untilMs: number;
}

export interface TaskFailure {
  readonly appId: string;
  readonly host: string;
  readonly message: string;
  readonly state: string;
  readonly taskId: string;
  readonly timestamp: string;
  readonly version: string;
  readonly slaveId?: string;
}

/** One version of an app, for GET …/versions and for going back. Named `<app>@<version>`. */
export interface AppVersion {
  readonly apiVersion: string;
  readonly kind: "AppVersion";
  readonly metadata: ObjectMeta;
  readonly spec: { readonly definition: AppDefinition };
}

export type DeploymentAction = "StartApplication" | "StopApplication" | "ScaleApplication" | "RestartApplication";

export interface DeploymentStep {
  readonly actions: readonly { readonly action: DeploymentAction; readonly app: string }[];
}

/** A change in progress (Kubernetes means something else by the word). Gone when it is done. */
export interface AppDeployment {
  readonly apiVersion: string;
  readonly kind: "AppDeployment";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly version: string;
    readonly affectedApps: readonly string[];
    readonly steps: readonly DeploymentStep[];
    /** The apps as they were, for going back; null = there was none. */
    readonly original: Readonly<Record<string, AppDefinition | null>>;
  };
  /** 1-based, as clients read it. */
  readonly status: { readonly currentStep: number; readonly cancelled?: boolean };
}

/** A group that was named as such; groups that only hold apps need no object. Named like apps; the root is `_`. */
export interface AppGroup {
  readonly apiVersion: string;
  readonly kind: "AppGroup";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly id: string;
    readonly dependencies: readonly string[];
    readonly enforceRole?: boolean;
    readonly version: string;
  };
}

export const apps = defineKind<App>("App", API_VERSION, "namespaced", { [SERVICE_PORT_INDEX]: servicePortIds });

/** What runs has its ports until a deployment comes to what is wanted, which has its own already. */
function servicePortIds({ spec }: App): readonly string[] {
  const ports = [spec.definition, ...(spec.active ? [spec.active] : [])].flatMap(portsOf);
  const ids = ports.flatMap(({ protocol, servicePort }) =>
    servicePort > 0 ? portHalves(protocol, "").map((half) => `${half.protocol}/${servicePort}`) : [],
  );
  return [...new Set(ids)];
}

/** Index `app`: by the App object's name. */
export const appVersions = defineKind<AppVersion>("AppVersion", API_VERSION, "namespaced", {
  app: (version) => [version.metadata.name.slice(0, version.metadata.name.indexOf("@"))],
});

/** Index `app`: by the id of an app it changes. */
export const appDeployments = defineKind<AppDeployment>("AppDeployment", API_VERSION, "namespaced", {
  app: (deployment) => deployment.spec.affectedApps,
});

export const appGroups = defineKind<AppGroup>("AppGroup", API_VERSION, "namespaced");

export function appKey(name: string): string {
  return `${NAMESPACE}/${name}`;
}

/** Deleted apps are still there while their tasks stop; to clients they are gone. */
export function isVisible(app: App): boolean {
  return app.metadata.deletionTimestamp === undefined;
}
