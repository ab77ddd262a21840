{# Chains of up to 64 merges: each round doubles how far a record has been followed. #}
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

    hop_0 as (
        select
            records.customer_key,
            coalesce(ranked_links.into_customer_key, records.customer_key) as target_key
        from records
        left join
            ranked_links
            on records.customer_key = ranked_links.customer_key
            and ranked_links.place = 1
    ),

    {% for round in range(1, rounds + 1) %}
        hop_{{ round }} as (
            select here.customer_key, ahead.target_key
            from hop_{{ round - 1 }} as here
            inner join
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
                when end_point.target_key = end_point.customer_key
                then end_point.customer_key
                else records.customer_key
            end as merged_customer_key,
            end_point.target_key <> end_point.customer_key as is_in_cycle
        from records
        inner join
            hop_{{ rounds }} on records.customer_key = hop_{{ rounds }}.customer_key
        inner join
            hop_0 as end_point on hop_{{ rounds }}.target_key = end_point.customer_key
    )

select *
from final
