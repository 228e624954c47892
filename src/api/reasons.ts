/**
 * The single table of reasons: a PascalCase code and the sentence that explains it. Conditions, events, denials, warnings,
 * metric labels and docs/reasons.md use exactly these codes.
 */
export const REASONS = {
  // Denials and warnings at admission.
  InvalidAnnotation: "An annotation under model.kubedl.io/ has a value that is not allowed.",
  UnknownAnnotation: "An annotation under model.kubedl.io/ is none that modelhook knows.",
  IdleAnnotation: "An annotation under model.kubedl.io/ has no effect where it stands.",
  ContradictingAnnotations: "Two annotations under model.kubedl.io/ exclude each other.",
  InvalidObject: "The object breaks a rule of its kind.",
  PathNotAllowed: "The administrator allows this namespace no such path on a node.",
  NameConflict: "The pod already uses a name that modelhook reserves.",
  MountConflict: "A container already mounts something else at the model's path.",
  NodeNameWithGate: "A pod with spec.nodeName can not wait for its model to be built.",
  ImageVolumesUnsupported: "A node that the pod can go to does not mount image volumes.",
  NoShell: "The image of the ModelVersion has no shell to copy its model with.",
  UnknownJobKind:
    "The pod's owner is no kind of job that modelhook knows, so its success is not seen.",
  AllWritersRequired: "The job has no first pod that could write the model alone.",
  AliasPending:
    "An alias names a version that does not exist, is not built, or belongs to another model.",
  VersionInUse: "Running pods use the ModelVersion that somebody wants to delete.",
  UseUnknown: "modelhook could not see in time which pods use the ModelVersion.",
  VersionsRemain: "The versions of a deleted Model stay.",
  InvalidConfiguration:
    "The administrator's limits are invalid; the last valid ones stay in force.",
  UnknownSetting: "A setting of the administrator is none that this modelhook knows.",
  BadReview: "The request is not an AdmissionReview that modelhook can answer.",
  InternalError: "modelhook failed while it answered.",
  // What admission did.
  NothingAsked: "The pod asks for no model.",
  OptedOut: "The pod says model.kubedl.io/inject: false.",
  NotOurs: "The pod is one that modelhook never touches.",
  DeliveredByCopy: "The model is copied, though an image volume is asked for.",
  StartsBeforeModel: "A container starts before the model is there, and does not get it.",
  AlreadyInjected: "The pod already has what modelhook gives it.",
  Injected: "The model is delivered to the pod.",
  Gated: "The pod waits for its model to be built.",
  ExportHooked: "The pod writes a model that is exported when its job succeeds.",
  Defaulted: "The object is accepted, with defaults.",
  Valid: "The object is accepted.",
  // The administrator's limits.
  ConfigurationRead: "The administrator's limits are valid, and in force.",
  // Serving pods.
  ModelNotFound: "No ModelVersion of that name exists.",
  ModelNotBuilt:
    "The ModelVersion is not built yet, or another controller built it and recorded no digest.",
  ModelBuildFailed: "The ModelVersion's build failed for good.",
  PullSecretMissing:
    "The pod was made before its model was built, and can not be given the Secret that pulls it.",
  ModelReady: "The ModelVersion is built; the pod may start.",
  InjectionMissed: "Running pods lack the model that they should have been made with.",
  // Models.
  AliasesResolved: "Every alias of the Model names a version that is built.",
  VersionRetired: "An old ModelVersion is deleted: spec.retention of its Model asks for it.",
  // Export.
  ExportSkipped:
    "No model is exported: the job did not succeed, or does not say what to make of its model.",
  Exported: "The job succeeded; its model is a ModelVersion now.",
  LocationBusy: "Another job or build uses the same location.",
  ClaimNotFound: "The persistent volume claim does not exist.",
  BindingOverlap: "Two bindings can select the same pods.",
  BindingWithoutEffect: "The binding is kept, and gives no pod a model as things are.",
  BindingInEffect: "The pods that the binding selects get its model when they are made.",
  NodeNotFound: "The node that has the model does not exist.",
  WriterSubset: "Only some of the job's pods write the model.",
  CreateRefused: "The API server refuses what modelhook makes for the object: a quota or a policy.",
  // A live KubeDL.
  KubeDLPresent: "KubeDL runs in the cluster; modelhook injects, and leaves building to it.",
  KubeDLGone: "KubeDL runs no more; modelhook builds again.",
  // Builds.
  BuildStarted: "The build of the image has begun.",
  BuildRetried: "An attempt at the build failed; another follows.",
  BuildSucceeded: "The image is built, pushed and verified.",
  StorageBound: "The volume that holds the model is bound.",
  StorageNotBound: "The volume that holds the model is not bound.",
  SourceNotFound: "The directory that should hold the model does not exist.",
  SourceUnreadable: "The build may not read a part of the model.",
  EmptyModel: "The directory that should hold the model is empty.",
  SourceChanged: "The model changed while it was read.",
  UnsupportedFile: "The model holds a file that an image can not hold.",
  ImagePullFailed: "An image that the build needs can not be pulled.",
  BaseImageTriggers: "The base image would run commands of its own in the build (ONBUILD).",
  PodSecurityDenied: "The namespace's pod security level forbids the build pod.",
  QuotaDenied: "A resource quota or limit range forbids the build pod.",
  PushDenied: "The registry refuses the push.",
  RegistryUnreachable: "The registry does not answer.",
  TagTaken: "The tag names an image that is not this version's.",
  DiskFull: "The node's disk had no room for the build.",
  OutOfMemory: "The build needed more memory than it may use.",
  NodeLost: "The node of the build pod is gone.",
  DeadlineExceeded: "The build took longer than it may.",
  Unknown: "The build failed for a reason that modelhook does not know.",
} as const satisfies Record<string, string>;

/** A code of the reasons table. */
export type Reason = keyof typeof REASONS;
