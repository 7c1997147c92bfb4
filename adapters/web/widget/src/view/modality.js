const PHONE = matchMedia("(max-width: 520px)");

/** Opens a dialog: beside the page where there is room, over everything (the rest inert) on a phone. */
export class Modality {
  constructor(dialog) {
    this.dialog = dialog;
    this.change = () => {
      if (!dialog.open) return;
      const focused = dialog.getRootNode().activeElement;
      dialog.close();
      this.open();
      focused?.focus();
    };
    PHONE.addEventListener("change", this.change);
  }

  get phone() {
    return PHONE.matches;
  }

  open() {
    if (this.dialog.open) return;
    if (this.phone) this.dialog.showModal();
    else this.dialog.show();
  }

  release() {
    PHONE.removeEventListener("change", this.change);
    this.dialog.close();
  }
}
