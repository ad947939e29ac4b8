// "Something changed": the kernel's notifications about interfaces, addresses, routes and neighbours.
//
// Only their kind is looked at. What changed is then read anew as a whole, because notifications get lost under load
// and the kernel does not announce the routes that vanish with an interface or an address.
#pragma once

namespace sallyport::dataplane {

class KernelChanges {
 public:
  struct Kinds {
    bool routes = false;  // interfaces, addresses or routes
    bool neighbours = false;
    [[nodiscard]] bool any() const noexcept { return routes || neighbours; }
  };

  // Throws EnvironmentError.
  KernelChanges();
  ~KernelChanges();
  KernelChanges(const KernelChanges&) = delete;
  KernelChanges& operator=(const KernelChanges&) = delete;

  [[nodiscard]] int file_descriptor() const noexcept { return socket_; }
  // What was announced since the last call; everything, where announcements were lost.
  [[nodiscard]] Kinds take() noexcept;

 private:
  int socket_;
};

}  // namespace sallyport::dataplane
