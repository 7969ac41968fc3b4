# Host A. The definition of the first act, word for word: the host changed, the service did not.
service {
  name = "dashboard"
  port = 9002

  connect {
    sidecar_service {
      proxy {
        config {
          managed = true
        }
        upstreams {
          destination_name = "counting"
          local_bind_port  = 5000
        }
      }
    }
  }
}
