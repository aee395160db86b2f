"use client";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Textarea } from "@/components/ui/textarea";
import { toast } from "@/components/ui/toast";
import type { AccessMatrix, PermissionMapView } from "@/lib/access/schemas";
import { type ApiProblem, isApiProblem } from "@/lib/client/api";
import { problemText } from "@/lib/client/form-issues";
import { grantChanges, impactOf, mapChanges, toolKey } from "./access-draft";
import { CollisionNote } from "./collision-note";
import { DraftDiff } from "./draft-diff";
import { RedefinedNote } from "./redefined-note";
import type { useAccessDraft } from "./use-access-draft";
import { useSaveAccess } from "./use-save-access";

export type ReviewDialogProps = {
  readonly tenant: string;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly drafting: ReturnType<typeof useAccessDraft>;
  readonly base: { readonly map: PermissionMapView; readonly matrix: AccessMatrix };
};
const MIN_REASON = 3;

/** Diff, effect and reason, before a draft becomes version n+1. */
export function ReviewDialog({ tenant, open, onOpenChange, drafting, base }: ReviewDialogProps) {
  const [reason, setReason] = useState("");
  const save = useSaveAccess(tenant);
  const { draft, newer } = drafting;
  const { version, tools } = base.map;
  const changes = mapChanges(draft, tools);
  const grants = grantChanges(draft);
  const changesMap = changes.length > 0;
  const inForce = new Map(tools.map((tool) => [toolKey(tool.server, tool.tool), tool.permission]));
  const refused = isApiProblem(save.error) ? save.error : null;
  const redefined = refused?.code === "definition_changed" ? refused : null;
  const stale = changesMap && (refused?.code === "stale_version" || newer !== null);
  const submit = () =>
    save.mutate(
      { baseVersion: version, map: changes, grants, reason: reason.trim() },
      {
        onSuccess: () => {
          toast.success(changesMap ? `Saved as version ${version + 1}.` : "Grants saved.");
          setReason("");
          drafting.discard();
          onOpenChange(false);
        },
      },
    );
  const reload = async () => {
    await drafting.reload();
    save.reset();
  };
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Review and save"
      description={
        changesMap
          ? `Version ${version} becomes version ${version + 1}. You can go back at any time.`
          : "The permission map stays as it is; roles change."
      }
      size="lg"
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>Keep editing</Button>
          <Button
            variant="primary"
            pending={save.isPending}
            disabled={
              reason.trim().length < MIN_REASON || stale || redefined !== null || changes.length + grants.length === 0
            }
            onClick={submit}
          >
            {changesMap ? `Save as version ${version + 1}` : "Save grants"}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <CollisionNote collisions={drafting.collisions} />
        <RedefinedNote tenant={tenant} redefined={drafting.redefined} />
        <DraftDiff
          map={changes.map((change) => {
            const key = toolKey(change.server, change.tool);
            return { key, before: inForce.get(key) ?? null, after: change.permission };
          })}
          grants={grants}
          impact={impactOf(base.matrix, draft)}
        />
        <Field label="Reason" hint="Recorded in the audit trail with the change.">
          <Textarea rows={2} value={reason} onChange={(event) => setReason(event.target.value)} />
        </Field>
        <Refusal stale={stale} redefined={redefined} newer={newer} error={save.error} onReload={reload} />
      </div>
    </Dialog>
  );
}

type RefusalProps = {
  readonly stale: boolean;
  readonly redefined: ApiProblem | null;
  readonly newer: PermissionMapView | null;
  readonly error: Error | null;
  readonly onReload: () => void;
};

/** Why nothing was saved, with the way on where the draft can be kept. */
function Refusal({ stale, redefined, newer, error, onReload }: RefusalProps) {
  if (stale) return <StaleNote newer={newer} onReload={onReload} />;
  if (redefined === null) return <FormError>{error ? problemText(error) : null}</FormError>;
  return (
    <FormError>
      <p>{redefined.message}</p>
      <ul className="mt-1 list-disc pl-5">
        {redefined.issues.map(({ path, rule }) => (
          <li key={path}>{rule}</li>
        ))}
      </ul>
      <Button className="mt-2" onClick={onReload}>
        Load what they say now and keep my changes
      </Button>
    </FormError>
  );
}

function StaleNote({ newer, onReload }: { readonly newer: PermissionMapView | null; readonly onReload: () => void }) {
  return (
    <FormError>
      <p>
        {newer
          ? `Meanwhile ${newer.changedBy} saved version ${newer.version}: “${newer.reason}”.`
          : "Meanwhile somebody saved another version of the map."}{" "}
        Nothing of yours was saved.
      </p>
      <Button className="mt-2" onClick={onReload}>
        Load the new version and keep my changes
      </Button>
    </FormError>
  );
}
