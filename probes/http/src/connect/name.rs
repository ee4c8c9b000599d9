//! Names to addresses, marked.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::mark;
use crate::{keys::Family, resolve::Resolver, target::literal};

/// The resolver, marking when it was asked and when it knew.
#[derive(Clone, Debug)]
pub(crate) struct MarkingResolver {
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) family: Family,
    /// What one name stands for.
    pub(crate) alias: Option<(String, Alias)>,
}

/// What a name stands for, in place of what the resolver says of it.
#[derive(Clone, Debug)]
pub(crate) enum Alias {
    /// These addresses.
    Addresses(Arc<[IpAddr]>),
    /// What the resolver says of this other name.
    Name(String),
}

// === impl MarkingResolver ===

impl Resolve for MarkingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, family) = (self.resolver.clone(), self.family);
        let alias = self.alias.as_ref().filter(|(host, _)| host == name.as_str()).map(|(_, alias)| alias.clone());
        Box::pin(async move {
            let name = match (&alias, literal(name.as_str())) {
                (Some(Alias::Addresses(addresses)), _) => {
                    let addresses: Vec<IpAddr> = addresses.iter().copied().filter(|ip| family.holds(*ip)).collect();
                    mark(|attempt, _| {
                        attempt.configured = true;
                        attempt.addresses.clone_from(&addresses);
                    });
                    return Ok(addrs(addresses));
                }
                // Who connects through a proxy asks for addresses, too.
                (None, Some(address)) => return Ok(addrs(vec![address])),
                (Some(Alias::Name(other)), _) => other.as_str(),
                (None, None) => name.as_str(),
            };
            mark(|attempt, now| {
                attempt.asked = attempt.asked.or(Some(now));
                attempt.name = Some(name.to_owned());
            });
            let addresses = resolver.lookup(name, family).await?;
            mark(|attempt, now| {
                attempt.resolved = Some(now);
                attempt.addresses.clone_from(&addresses);
            });
            Ok(addrs(addresses))
        })
    }
}

fn addrs(addresses: Vec<IpAddr>) -> Addrs {
    Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)))
}
