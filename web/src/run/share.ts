// Copies the address of what is shown.
import { announce } from "../ui/announce";
import { addressOf, getPlace } from "./place";

export function copyLink(): void {
  const address = new URL(addressOf(getPlace()), location.href).href;
  void navigator.clipboard
    .writeText(address)
    .catch(() => window.prompt("Copy this address:", address))
    .then(() => announce("Link copied"));
}
