# Two stages: Debian 12 with everything that builds and tests the gateway, and a slim image that only runs it.
#
#   docker build --target build -t sallyport-build .     # the tests: docker run --privileged sallyport-build make test
#   docker build -t sallyport .                           # the gateway:
#   docker run .. sallyport                               # with the flags that docs/INSTALL.md explains
FROM debian:12 AS build
WORKDIR /src
COPY tools/packages.txt tools/install-dependencies tools/
RUN apt-get update -q && apt-get install -q -y --no-install-recommends make git && tools/install-dependencies build test
COPY . .
RUN make build && make install DESTDIR=/image PREFIX=/usr

FROM debian:12-slim
COPY tools/packages.txt tools/install-dependencies /tmp/tools/
RUN /tmp/tools/install-dependencies run && rm -rf /tmp/tools /var/lib/apt/lists/*
COPY --from=build /image/usr/ /usr/
COPY --from=build /image/etc/ /etc/
RUN mkdir -p /run/sallyport /var/lib/sallyport /var/log/sallyport && sallyport --version
STOPSIGNAL SIGTERM
ENTRYPOINT ["sallyport"]
CMD ["run", "--config", "/etc/sallyport/sallyport.toml"]
