import { faultText } from "../../src/cli/file-fault.ts";
import { parseYamlFile, type YamlDocument } from "../../src/cli/yaml-file.ts";

/** The documents of a text; throws when it can not be read. */
export function yamlDocuments(text: string): readonly YamlDocument[] {
  const parsed = parseYamlFile(text, "serve.yaml");
  if (!parsed.ok) throw new Error(parsed.faults.map(faultText).join("\n"));
  return parsed.documents;
}

/** The document of a text that is one. */
export function yamlDocument(text: string): YamlDocument {
  const [document, ...others] = yamlDocuments(text);
  if (document === undefined || others.length > 0) throw new Error("this is not one document");
  return document;
}
