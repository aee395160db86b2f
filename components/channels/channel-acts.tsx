"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { SecretDialog } from "@/components/channels/secret-dialog";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { FormError } from "@/components/ui/form-error";
import { toast } from "@/components/ui/toast";
import type { ChannelView } from "@/lib/channels/schemas";
import { channelKeys, deleteChannel, rotateChannelSecret } from "@/lib/client/channels";
import { problemText } from "@/lib/client/form-issues";

type Props = { readonly tenant: string; readonly channel: ChannelView; readonly onClose: () => void };

export function DeleteChannel({ tenant, channel, onClose }: Props) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteChannel(tenant, channel.id),
    onSuccess: async () => {
      toast.success(`Channel ${channel.name} deleted.`);
      onClose();
      await client.invalidateQueries({ queryKey: channelKeys.all(tenant) });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete ${channel.name}`}
      description="Nothing more is told there, and what still waits is given up. The history of alerts keeps what was told."
      action="Delete channel"
      danger
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <FormError>{remove.error ? problemText(remove.error) : null}</FormError>
    </ConfirmDialog>
  );
}

export function RotateSecret({ tenant, channel, onClose }: Props) {
  const client = useQueryClient();
  const rotate = useMutation({
    mutationFn: () => rotateChannelSecret(tenant, channel.id),
    onSuccess: () => client.invalidateQueries({ queryKey: channelKeys.all(tenant) }),
  });
  if (rotate.data) return <SecretDialog channel={rotate.data} onClose={onClose} />;
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Rotate the signing secret of ${channel.name}`}
      description="For 24 hours notices are signed with the old and the new secret, so that the receiver can change over."
      action="Rotate secret"
      pending={rotate.isPending}
      onConfirm={() => rotate.mutate()}
    >
      <FormError>{rotate.error ? problemText(rotate.error) : null}</FormError>
    </ConfirmDialog>
  );
}
