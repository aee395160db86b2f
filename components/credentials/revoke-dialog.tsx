"use client";
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { FormError } from "@/components/ui/form-error";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";

type Props = {
  /** What is revoked, as one reads it: "key", "token". */
  readonly what: string;
  readonly name: string;
  /** What happens to those who still use it. */
  readonly effect: string;
  readonly revoke: () => Promise<unknown>;
  /** What is asked for anew afterwards. */
  readonly shownBy: QueryKey;
  readonly onClose: () => void;
};

/** Asks once more before a credential stops working for good. */
export function RevokeDialog({ what, name, effect, revoke, shownBy, onClose }: Props) {
  const client = useQueryClient();
  const revoking = useMutation({
    mutationFn: revoke,
    onSuccess: async () => {
      toast.success(`${what.charAt(0).toUpperCase()}${what.slice(1)} ${name} is revoked.`);
      await client.invalidateQueries({ queryKey: shownBy });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Revoke ${name}`}
      description={`${effect} This cannot be undone.`}
      action={`Revoke ${what}`}
      danger
      pending={revoking.isPending}
      onConfirm={() => revoking.mutate()}
    >
      <FormError>{revoking.error ? problemText(revoking.error) : null}</FormError>
    </ConfirmDialog>
  );
}
