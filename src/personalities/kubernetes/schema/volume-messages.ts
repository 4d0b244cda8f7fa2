/** Where a pod's volumes come from. Notation: schema.ts. */
export const volumeMessages = {
  Volume: `
    name:s hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource
    gcePersistentDisk:GCEPersistentDiskVolumeSource
    awsElasticBlockStore:AWSElasticBlockStoreVolumeSource gitRepo:GitRepoVolumeSource
    secret:SecretVolumeSource nfs:NFSVolumeSource iscsi:ISCSIVolumeSource
    glusterfs:GlusterfsVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource
    rbd:RBDVolumeSource flexVolume:FlexVolumeSource cinder:CinderVolumeSource cephfs:CephFSVolumeSource
    flocker:FlockerVolumeSource downwardAPI:DownwardAPIVolumeSource fc:FCVolumeSource
    azureFile:AzureFileVolumeSource configMap:ConfigMapVolumeSource
    vsphereVolume:VsphereVirtualDiskVolumeSource quobyte:QuobyteVolumeSource
    azureDisk:AzureDiskVolumeSource photonPersistentDisk:PhotonPersistentDiskVolumeSource
    portworxVolume:PortworxVolumeSource scaleIO:ScaleIOVolumeSource projected:ProjectedVolumeSource
    storageos:StorageOSVolumeSource csi:CSIVolumeSource ephemeral:EphemeralVolumeSource
    image:ImageVolumeSource
  `,
  HostPathVolumeSource: "path:s type:s",
  EmptyDirVolumeSource: "medium:s sizeLimit:Q mode:i",
  GCEPersistentDiskVolumeSource: "pdName:s fsType:s partition:i readOnly:b",
  AWSElasticBlockStoreVolumeSource: "volumeID:s fsType:s partition:i readOnly:b",
  GitRepoVolumeSource: "repository:s revision:s directory:s",
  SecretVolumeSource: "secretName:s items:KeyToPath[] defaultMode:i optional:b defaultUser:l",
  KeyToPath: "key:s path:s mode:i user:l",
  NFSVolumeSource: "server:s path:s readOnly:b",
  ISCSIVolumeSource: `
    targetPortal:s iqn:s lun:i iscsiInterface:s fsType:s readOnly:b portals:s[] chapAuthDiscovery:b
    secretRef:LocalObjectReference chapAuthSession:b initiatorName:s
  `,
  GlusterfsVolumeSource: "endpoints:s path:s readOnly:b",
  PersistentVolumeClaimVolumeSource: "claimName:s readOnly:b",
  RBDVolumeSource: `
    monitors:s[] image:s fsType:s pool:s user:s keyring:s secretRef:LocalObjectReference readOnly:b
  `,
  FlexVolumeSource: "driver:s fsType:s secretRef:LocalObjectReference readOnly:b options:{s}",
  CinderVolumeSource: "volumeID:s fsType:s readOnly:b secretRef:LocalObjectReference",
  CephFSVolumeSource: "monitors:s[] path:s user:s secretFile:s secretRef:LocalObjectReference readOnly:b",
  FlockerVolumeSource: "datasetName:s datasetUUID:s",
  DownwardAPIVolumeSource: "items:DownwardAPIVolumeFile[] defaultMode:i defaultUser:l",
  DownwardAPIVolumeFile: "path:s fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector mode:i user:l",
  FCVolumeSource: "targetWWNs:s[] lun:i fsType:s readOnly:b wwids:s[]",
  AzureFileVolumeSource: "secretName:s shareName:s readOnly:b",
  ConfigMapVolumeSource: "name:s items:KeyToPath[] defaultMode:i optional:b defaultUser:l",
  VsphereVirtualDiskVolumeSource: "volumePath:s fsType:s storagePolicyName:s storagePolicyID:s",
  QuobyteVolumeSource: "registry:s volume:s readOnly:b user:s group:s tenant:s",
  AzureDiskVolumeSource: "diskName:s diskURI:s cachingMode:s fsType:s readOnly:b kind:s",
  PhotonPersistentDiskVolumeSource: "pdID:s fsType:s",
  PortworxVolumeSource: "volumeID:s fsType:s readOnly:b",
  ScaleIOVolumeSource: `
    gateway:s system:s secretRef:LocalObjectReference sslEnabled:b protectionDomain:s storagePool:s
    storageMode:s volumeName:s fsType:s readOnly:b
  `,
  ProjectedVolumeSource: "sources:VolumeProjection[] defaultMode:i defaultUser:l",
  VolumeProjection: `
    secret:SecretProjection downwardAPI:DownwardAPIProjection configMap:ConfigMapProjection
    serviceAccountToken:ServiceAccountTokenProjection clusterTrustBundle:ClusterTrustBundleProjection
    podCertificate:PodCertificateProjection
  `,
  SecretProjection: "name:s items:KeyToPath[] optional:b",
  DownwardAPIProjection: "items:DownwardAPIVolumeFile[]",
  ConfigMapProjection: "name:s items:KeyToPath[] optional:b",
  ServiceAccountTokenProjection: "audience:s expirationSeconds:l path:s user:l",
  ClusterTrustBundleProjection: "name:s signerName:s labelSelector:LabelSelector path:s optional:b user:l",
  PodCertificateProjection: `
    signerName:s keyType:s maxExpirationSeconds:i credentialBundlePath:s keyPath:s
    certificateChainPath:s userAnnotations:{s} user:l
  `,
  StorageOSVolumeSource: "volumeName:s volumeNamespace:s fsType:s readOnly:b secretRef:LocalObjectReference",
  CSIVolumeSource: "driver:s readOnly:b fsType:s volumeAttributes:{s} nodePublishSecretRef:LocalObjectReference",
  EphemeralVolumeSource: "volumeClaimTemplate:PersistentVolumeClaimTemplate",
  PersistentVolumeClaimTemplate: "metadata:ObjectMeta spec:PersistentVolumeClaimSpec",
  PersistentVolumeClaimSpec: `
    accessModes:s[] resources:VolumeResourceRequirements volumeName:s selector:LabelSelector
    storageClassName:s volumeMode:s dataSource:TypedLocalObjectReference
    dataSourceRef:TypedObjectReference volumeAttributesClassName:s
  `,
  VolumeResourceRequirements: "limits:{Q} requests:{Q}",
  ImageVolumeSource: "reference:s pullPolicy:s",
} as const;
