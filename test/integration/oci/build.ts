import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseReport, type BuildReport, type BuiltImage } from "../../../src/api/build-report.ts";
import { buildImage, type BuildImageOptions } from "../../../src/cli/build-image.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

/** UID of the version that these builds are for. */
export const UID = "11111111-2222-4333-8444-555555555555";

/** How an ended container is seen from outside. */
interface Ended {
  readonly exitCode: number;
  readonly report: BuildReport | undefined;
}

/** A volume with a model, and what a build pod has besides it. */
export interface Workplace {
  /** Directory of the model. */
  readonly model: string;
  /** Runs the build as its container does; `image` is where it goes. */
  build(image: string, more?: Partial<BuildImageOptions>): Promise<Ended>;
  /** Runs the build, which has to succeed. */
  built(image: string, more?: Partial<BuildImageOptions>): Promise<BuiltImage>;
  remove(): void;
}

/** Makes a volume with an empty model in `runs/1`. */
export function makeWorkplace(): Workplace {
  const root = mkdtempSync(join(tmpdir(), "modelhook-direct-"));
  const model = join(root, "volume/runs/1");
  mkdirSync(model, { recursive: true });

  async function build(image: string, more: Partial<BuildImageOptions> = {}): Promise<Ended> {
    const terminationLog = join(root, "termination-log");
    rmSync(terminationLog, { force: true });
    const exitCode = await buildImage({
      source: join(root, "volume"),
      directory: "runs/1",
      image,
      versionUid: UID,
      baseImage: "scratch",
      labels: {},
      again: false,
      credentials: join(root, "config.json"),
      insecureRegistries: [image.slice(0, image.indexOf("/"))],
      terminationLog,
      logger: createLogger({ level: "silent" }),
      ...more,
    });
    const message = existsSync(terminationLog) ? readFileSync(terminationLog, "utf8") : undefined;
    return { exitCode, report: parseReport(message) };
  }

  return {
    model,
    build,
    async built(image, more) {
      const { report } = await build(image, more);
      if (report?.state === "built" || report?.state === "adopted") return report.image;
      throw new Error(`the build failed: ${JSON.stringify(report)}`);
    },
    remove: () => rmSync(root, { recursive: true }),
  };
}
