// A page that was opened from a folder may not start a worker. There the script of the search runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(script) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      const inside = frame.contentWindow
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      inside.importScripts = () => {} // only other languages than English have scripts of their own
      const loaded = new Promise(done => {
        const element = frame.contentDocument.createElement("script")
        element.src = script
        element.onload = done
        frame.contentDocument.head.append(element)
      })
      this.postMessage = data => loaded.then(() => inside.dispatchEvent(new MessageEvent("message", { data })))
    }
  }
}
