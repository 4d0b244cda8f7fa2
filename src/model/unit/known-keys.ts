/**
 * Keys of systemd 252 that are taken but not acted on, with what that means for the user. Keys that are acted on have
 * a rule in service-rules.ts, unit-rules.ts; a key in neither is unknown. Source: systemd src/core/load-fragment-gperf.gperf.in.
 */

/** Says what does not happen. Empty: the key changes nothing about how a unit runs, so there is nothing to say. */
export type NotDone = Readonly<Record<string, string>>;

const SILENT = "";
const CONDITION = "this condition is not evaluated: the unit starts whether it holds or not";
const OWN_CGROUP = "the unit always runs in its own cgroup";
const OUTPUT = "output always goes to the unit's own log (`styr logs`)";
const INPUT = "the unit's input is always empty";
const SANDBOX = "this sandboxing is not applied: the unit sees the host as it is";
const CAPABILITY = "capabilities stay those of the unit's user";
const SCHEDULING = "the kernel's default scheduling is kept";
const IO = "disk throughput is not limited";
const MEMORY = "only MemoryMax= and MemoryLimit= are enforced";
const FOLDERS = "this folder is not made and its variable is not set: make it in ExecStartPre=";
const ACTION = "nothing is done to the node";
const NETWORK = "network access is not filtered";

function all(names: string, words: string): NotDone {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, words]));
}

export const UNIT_NOT_DONE: NotDone = {
  ...all(
    "Documentation SourcePath DefaultDependencies IgnoreOnIsolate IgnoreOnSnapshot AllowIsolate CollectMode",
    SILENT,
  ),
  ...all("RefuseManualStart RefuseManualStop", "the unit can still be started and stopped by hand"),
  ...all("OnFailureJobMode OnSuccessJobMode OnFailureIsolate", "units named there are started in the usual mode"),
  ...all(
    "PropagatesReloadTo PropagateReloadTo ReloadPropagatedFrom PropagateReloadFrom",
    "units are not reloaded here, so there is nothing to propagate",
  ),
  ...all("PropagatesStopTo StopPropagatedFrom Upholds", "use BindsTo= or PartOf= instead"),
  ...all("RequiresOverridable RequisiteOverridable", "use Requires= instead"),
  JoinsNamespaceOf: SANDBOX,
  RequiresMountsFor: "mounts are not waited for",
  StopWhenUnneeded: "the unit is not stopped when no other unit needs it",
  ...all(
    "JobTimeoutSec JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument",
    "use TimeoutStartSec= to bound the start",
  ),
  ...all("StartLimitAction FailureAction SuccessAction RebootArgument", ACTION),
  ...all("FailureActionExitStatus SuccessActionExitStatus", ACTION),
  ...all(
    "ConditionArchitecture ConditionFirmware ConditionVirtualization ConditionKernelCommandLine ConditionKernelVersion ConditionCredential ConditionSecurity ConditionCapability ConditionACPower ConditionNeedsUpdate ConditionFirstBoot ConditionPathExistsGlob ConditionPathIsSymbolicLink ConditionPathIsMountPoint ConditionPathIsReadWrite ConditionPathIsEncrypted ConditionUser ConditionGroup ConditionControlGroupController ConditionMemory ConditionCPUs ConditionEnvironment ConditionCPUFeature ConditionOSRelease ConditionMemoryPressure ConditionCPUPressure ConditionIOPressure",
    CONDITION,
  ),
  ...all(
    "AssertArchitecture AssertFirmware AssertVirtualization AssertKernelCommandLine AssertKernelVersion AssertCredential AssertSecurity AssertCapability AssertACPower AssertNeedsUpdate AssertFirstBoot AssertPathExistsGlob AssertPathIsSymbolicLink AssertPathIsMountPoint AssertPathIsReadWrite AssertPathIsEncrypted AssertUser AssertGroup AssertControlGroupController AssertMemory AssertCPUs AssertEnvironment AssertCPUFeature AssertOSRelease",
    CONDITION,
  ),
};

export const INSTALL_NOT_DONE: NotDone = {
  Alias: "the unit has only its own name",
  Also: "other units are not installed with it",
  DefaultInstance: "an instance is named when it is started",
};

export const SERVICE_NOT_DONE: NotDone = {
  ExecReload: "units are not reloaded; restart it instead",
  ExitType: "the unit ends when its main process does",
  ...all("TimeoutAbortSec WatchdogSec WatchdogSignal NotifyAccess", "there is no notification socket, so no watchdog"),
  ...all("TimeoutStartFailureMode TimeoutStopFailureMode", "after a timeout processes get SIGTERM, then SIGKILL"),
  RuntimeRandomizedExtraSec: "RuntimeMaxSec= is kept to exactly",
  ...all("FailureAction StartLimitAction RebootArgument", ACTION),
  RootDirectoryStartOnly: SANDBOX,
  NonBlocking: "there are no sockets to pass",
  BusName: "the bus is not watched: the service counts as running once it is started",
  ...all("FileDescriptorStoreMax Sockets", "no sockets are passed"),
  ...all("USBFunctionDescriptors USBFunctionStrings", "USB functions are not set up"),
  OOMPolicy: "what is left of a unit after the kernel killed a part of it goes on",
  ReloadPropagatedFrom: "units are not reloaded",

  ...all("StandardOutput StandardError", OUTPUT),
  ...all("StandardInput StandardInputText StandardInputData", INPUT),
  ...all("TTYPath TTYReset TTYVHangup TTYVTDisallocate TTYRows TTYColumns", "the unit has no terminal"),
  ...all(
    "SyslogIdentifier SyslogFacility SyslogLevel SyslogLevelPrefix LogLevelMax LogRateLimitIntervalSec LogRateLimitBurst LogExtraFields LogNamespace",
    SILENT,
  ),
  ...all(
    "RootDirectory RootImage RootImageOptions RootHash RootHashSignature RootVerity RootEphemeral MountAPIVFS MountImages ExtensionImages ExtensionDirectories MountFlags PrivateTmp PrivateDevices PrivateNetwork NetworkNamespacePath PrivateIPC IPCNamespacePath PrivateUsers PrivateMounts ProtectHostname ProtectClock ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups ProtectSystem ProtectHome ProtectProc ProcSubset ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths BindPaths BindReadOnlyPaths TemporaryFileSystem SELinuxContext AppArmorProfile SmackProcessLabel NoNewPrivileges SystemCallFilter SystemCallArchitectures SystemCallErrorNumber SystemCallLog MemoryDenyWriteExecute RestrictNamespaces RestrictRealtime RestrictSUIDSGID RestrictAddressFamilies RestrictFileSystems LockPersonality Personality DynamicUser RemoveIPC KeyringMode PAMName UtmpIdentifier UtmpMode",
    SANDBOX,
  ),
  ...all("Capabilities SecureBits CapabilityBoundingSet AmbientCapabilities", CAPABILITY),
  ...all(
    "IOSchedulingClass IOSchedulingPriority CPUSchedulingPolicy CPUSchedulingPriority CPUSchedulingResetOnFork CPUAffinity NUMAPolicy NUMAMask TimerSlackNSec CoredumpFilter IgnoreSIGPIPE",
    SCHEDULING,
  ),
  PassEnvironment: "no variables of the node's are passed on: write them in Environment= or EnvironmentFile=",
  ...all("SupplementaryGroups", "the groups are those that the user has"),
  ...all(
    "RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve StateDirectory StateDirectoryMode CacheDirectory CacheDirectoryMode LogsDirectory LogsDirectoryMode ConfigurationDirectory ConfigurationDirectoryMode",
    FOLDERS,
  ),
  ...all(
    "LoadCredential LoadCredentialEncrypted SetCredential SetCredentialEncrypted ExecSearchPath",
    "this is not passed to the unit",
  ),

  ...all("Slice Delegate DisableControllers", OWN_CGROUP),
  ...all(
    "CPUAccounting MemoryAccounting TasksAccounting IOAccounting BlockIOAccounting IPAccounting StartupCPUShares StartupCPUWeight StartupMemoryLow StartupMemoryHigh StartupMemoryMax CPUQuotaPeriodSec",
    SILENT,
  ),
  ...all("AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes", SCHEDULING),
  ...all(
    "MemoryMin MemoryLow MemoryHigh MemorySwapMax MemoryZSwapMax DefaultMemoryMin DefaultMemoryLow ManagedOOMSwap ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMPreference",
    MEMORY,
  ),
  ...all(
    "IOWeight StartupIOWeight IODeviceWeight IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec BlockIOWeight StartupBlockIOWeight BlockIODeviceWeight BlockIOReadBandwidth BlockIOWriteBandwidth",
    IO,
  ),
  ...all("DeviceAllow DevicePolicy", "access to devices is that of the unit's user"),
  ...all(
    "IPAddressAllow IPAddressDeny IPIngressFilterPath IPEgressFilterPath BPFProgram SocketBindAllow SocketBindDeny RestrictNetworkInterfaces",
    NETWORK,
  ),
};

/** What a unit of another type would do that is not done here. */
export const TYPE_NOT_DONE: Readonly<Record<string, string>> = {
  timer: "its time never comes: start the service it names yourself",
  socket: "it does not listen",
  path: "nothing is watched",
  mount: "nothing is mounted",
  automount: "nothing is mounted",
  swap: "no swap is added",
  target: "it pulls in nothing",
  device: "there is no device to wait for",
  slice: "every unit has its own cgroup already",
  scope: "it holds no processes",
  snapshot: "it holds no state",
  busname: "there is no bus",
};
