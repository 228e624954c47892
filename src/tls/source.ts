/** What the webhook server serves, and what its callers must trust. All PEM. */
export interface ServingCertificate {
  /** The leaf, followed by intermediates when there are any. */
  readonly cert: string;
  /** Private key of the leaf; it never leaves this process. */
  readonly key: string;
  /** What belongs into the webhook configurations: every authority that a replica may serve under. */
  readonly caBundle: string;
  /** When the leaf ends, milliseconds since the epoch. */
  readonly notAfter: number;
}

/** Where the serving certificate comes from; it stays current until the signal given at its opening. */
export interface CertificateSource {
  current(): ServingCertificate;
  /** Calls the listener after every change of certificate or bundle, until the signal when there is one. */
  readonly onChange: (listener: () => void, until?: AbortSignal) => void;
}
