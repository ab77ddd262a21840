{#
  Chains of up to 64 merges: each round doubles how far a merged record has been followed. Rounds read merges alone, and
  there is no recursive query: Spark plans each reading anew, and each step of a recursion as a query of its own.
#}
{% set rounds = 6 %}
with
    links as (select * from {{ ref("stg_customer_links__links") }}),

    customers as (select * from {{ ref("stg_customers__customers") }}),

    orders as (select * from {{ ref("stg_orders__orders") }}),

    as_of as (select * from {{ ref("int_orders__as_of") }}),

    records as (
        select customer_key, source, customer_id
        from customers
        union
        select customer_key, source, customer_id
        from orders
        where customer_key is not null
        union
        select customer_key, source, customer_id
        from links
        union
        select into_customer_key,
        source,
        into_customer_id
        from links
    ),

    -- merges in force; a record merged twice follows its newest merge
    ranked_links as (
        select
            links.customer_key,
            links.into_customer_key,
            row_number() over (
                partition by links.customer_key
                order by
                    coalesce(links.linked_date, cast('1900-01-01' as date)) desc,
                    links.into_customer_key
            ) as place
        from links
        cross join as_of
        where
            links.customer_key <> links.into_customer_key
            and (links.linked_date is null or links.linked_date <= as_of.as_of)
            and (links.unlinked_date is null or links.unlinked_date > as_of.as_of)
    ),

    merges as (
        select customer_key, into_customer_key from ranked_links where place = 1
    ),

    hop_0 as (select customer_key, into_customer_key as target_key from merges),

    {% for round in range(1, rounds + 1) %}
        hop_{{ round }} as (
            select
                here.customer_key,
                coalesce(ahead.target_key, here.target_key) as target_key
            from hop_{{ round - 1 }} as here
            left join
                hop_{{ round - 1 }} as ahead on here.target_key = ahead.customer_key
        ),
    {% endfor %}

    -- a record that still leads to another one after all rounds is in a circle:
    -- it stays itself
    final as (
        select
            records.customer_key,
            records.source,
            records.customer_id,
            case
                when further.customer_key is null
                then coalesce(followed.target_key, records.customer_key)
                else records.customer_key
            end as merged_customer_key,
            further.customer_key is not null as is_in_cycle
        from records
        left join
            hop_{{ rounds }} as followed on records.customer_key = followed.customer_key
        left join merges as further on followed.target_key = further.customer_key
    )

select *
from final
