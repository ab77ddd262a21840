{%- set consent = var("consent_column") -%}
with
    rules as (select * from {{ ref("next_actions") }}),

    reasons as (select * from {{ ref("int_loyalty__action_reasons") }}),

    contacts as (select * from {{ ref("int_loyalty__customer_contacts") }}),

    -- internal accounts and resellers get no next action
    customers as (
        select *
        from {{ ref("dim_customers") }}
        where
            base = 'customer'
            {% if consent in column_names(ref("dim_customers")) %}
                and lower(cast({{ adapter.quote(consent) }} as {{ dbt.type_string() }}))
                in ('true', 'yes', 'y', '1')
            {% endif %}
    ),

    worded as (
        select
            customers.customer_key,
            reasons.action,
            rules.label_en,
            rules.label_zh,
            rules.priority,
            rules.cadence_days,
            replace(
                replace(
                    replace(rules.reason, '{1}', coalesce(reasons.figure_1, '')),
                    '{2}',
                    coalesce(reasons.figure_2, '')
                ),
                '{3}',
                coalesce(reasons.figure_3, '')
            ) as reason,
            reasons.value_at_stake_amount,
            case
                when reasons.value_at_stake_amount is not null
                then reasons.currency_code
            end as currency_code,
            reasons.value_basis,
            contacts.days_since_contact,
            contacts.recent_contact_count,
            row_number() over (
                partition by customers.customer_key
                order by rules.priority, reasons.action
            ) as action_rank,
            case
                -- an answer that is owed does not wait
                when rules.cadence_days = 0
                then null
                when contacts.days_since_contact <= rules.cadence_days
                then 'contacted too recently'
                when contacts.is_over_contact_cap
                then 'contacted too often'
            end as cadence_reason
        from reasons
        inner join customers on reasons.customer_key = customers.customer_key
        inner join rules on reasons.action = rules.action
        left join contacts on reasons.customer_key = contacts.customer_key
    ),

    chosen as (
        select
            *,
            min(case when cadence_reason is null then action_rank end) over (
                partition by customer_key
            ) as due_rank
        from worded
    ),

    final as (
        select
            *,
            coalesce(action_rank = due_rank, false) as is_due,
            case
                when cadence_reason is not null
                then cadence_reason
                when action_rank > due_rank
                then 'another action comes first'
            end as held_back_reason
        from chosen
    )

select *
from final
