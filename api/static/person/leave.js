/* Whoever logs out leaves nothing behind in this tab: on a computer that several people use, half an answer is somebody's address. */
document.addEventListener("allons:done", (event) => {
  if (event.target.dataset?.call === "DELETE /v1/session") sessionStorage.clear()
})
